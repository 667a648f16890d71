/** Combines what the files of a workspace say into services. Pure. */
import { posix } from "node:path";
import { fromCompose } from "./compose.ts";
import { CERTAINTY, type FoundService, type ServiceProposal } from "./found-service.ts";
import {
  type EnvVariables,
  fromDevcontainer,
  fromEnv,
  fromNxProject,
  fromPackageJson,
  fromProcfile,
  type PackageContext,
  parseEnv,
} from "./sources.ts";

const COMPOSE = /^(?:docker-)?compose(?:\.[\w-]+)*\.ya?ml$/;
/** Compose files of development come first. */
const FIRST_COMPOSE = /^(?:docker-)?compose(?:\.(?:override|dev|development|local))?\.ya?ml$/;
const PROCFILE = /^Procfile(?:\.dev)?$/;
const VITE_CONFIG = /^vite\.config\.[cm]?[jt]s$/;
const ENTRY_POINT = /^(?:index|main|server|app)\.[cm]?[jt]s$/;
/** Later files override earlier ones, as in the frameworks that read them; an example is only a guess. */
const ENV_FILES = [
  ".env.dist",
  ".env.template",
  ".env.sample",
  ".env.example",
  ".env",
  ".env.development",
  ".env.local",
  ".env.development.local",
];
/** A package's sources, which may have its env files as well. */
const SOURCES = "src";

/** True for a file name that services are read from. */
export function isSource(name: string): boolean {
  return (
    ["package.json", "project.json", "devcontainer.json", ".devcontainer.json"].includes(name) ||
    ENV_FILES.includes(name) ||
    [COMPOSE, PROCFILE, VITE_CONFIG, ENTRY_POINT].some((pattern) => pattern.test(name))
  );
}

/**
 * `files`: content by path, relative to the workspace's folder, with `/`. What several files tell of one service is said
 * once, by the file that is nearest to how it is run by hand, with the name that people gave it and the port that is
 * most certain.
 */
export function servicesIn(files: ReadonlyMap<string, string>): FoundService[] {
  const found: Candidate[] = [];
  const proposals = [...foldersOf(files)].flatMap(([directory, folder]) => proposalsOf(directory, folder));
  for (const proposal of proposals.toSorted((a, b) => a.rank - b.rank)) {
    const known = found.find((other) => isSame(other, proposal));
    if (known) refine(known, proposal);
    else found.push({ ...proposal });
  }
  return named(found);
}

/** Ranks of kinds of files: the lower, the closer to how a service is run by hand. */
const RANK = { package: 0, procfile: 1, compose: 2, devcontainer: 3, env: 4 } as const;

interface Candidate extends ServiceProposal {
  rank: number;
  foundIn: string;
}

/** Files by folder. Those in `src` count for the package above it. */
function foldersOf(files: ReadonlyMap<string, string>): Map<string, Map<string, string>> {
  const folders = new Map<string, Map<string, string>>();
  for (const [path, text] of [...files].sort()) {
    const directory = posix.dirname(path) === "." ? "" : posix.dirname(path);
    const above = posix.dirname(directory) === "." ? "" : posix.dirname(directory);
    const isInPackage =
      posix.basename(directory) === SOURCES &&
      files.has(posix.join(above, "package.json")) &&
      !files.has(posix.join(directory, "package.json"));
    const owner = isInPackage ? above : directory;
    const folder = folders.get(owner) ?? new Map<string, string>();
    folders.set(owner, folder.set(posix.relative(owner, path), text));
  }
  return folders;
}

function proposalsOf(directory: string, folder: ReadonlyMap<string, string>): Candidate[] {
  const env: EnvVariables = Object.assign(
    {},
    ...ENV_FILES.flatMap((name) => [name, `${SOURCES}/${name}`]).map((name) =>
      parseEnv(folder.get(name) ?? ""),
    ),
  );
  const texts = (pattern: RegExp) =>
    [...folder].filter(([name]) => pattern.test(posix.basename(name))).map(([, text]) => text);
  const surroundings: PackageContext = {
    env,
    viteConfig: texts(VITE_CONFIG)[0],
    entryPoints: texts(ENTRY_POINT),
  };
  const proposals: Candidate[] = [];
  const propose = (rank: number, name: string, told: readonly (ServiceProposal | undefined)[]) => {
    for (const each of told)
      if (each) proposals.push({ ...each, rank, foundIn: posix.join(directory, name) });
  };
  for (const [name, text] of folder) {
    if (name === "package.json")
      propose(RANK.package, name, [fromPackageJson(text, directory, surroundings)]);
    if (name === "project.json") propose(RANK.package, name, [fromNxProject(text, directory, surroundings)]);
    if (PROCFILE.test(name)) propose(RANK.procfile, name, fromProcfile(text, directory, env));
    if (COMPOSE.test(name))
      propose(RANK.compose + (FIRST_COMPOSE.test(name) ? 0 : 0.5), name, fromCompose(text, directory, env));
    if (name === "devcontainer.json" || name === ".devcontainer.json")
      propose(RANK.devcontainer, name, fromDevcontainer(text));
  }
  const envFile = ENV_FILES.findLast((name) => folder.has(name));
  if (envFile && directory !== "") propose(RANK.env, envFile, [fromEnv(env, directory)]);
  return proposals;
}

/** True when both tell of one service. Two packages are two services, also with the default port of one tool. */
function isSame(known: Candidate, other: Candidate): boolean {
  if (known.foundIn === other.foundIn) return false;
  const arePackages = known.rank === RANK.package && other.rank === RANK.package;
  if (known.directory && other.directory) return known.directory === other.directory;
  // The process called web is the program of its folder, which may be told to listen elsewhere.
  if (other.rank === RANK.procfile && other.name === "web" && known.directory === other.directory)
    if (known.rank === RANK.package && known.certainty < CERTAINTY.stated) return true;
  if (arePackages) return known.directory === other.directory;
  return known.port === other.port || safeName(known.name) === safeName(other.name);
}

/** What another file knows better of the same service. */
function refine(known: Candidate, other: Candidate): void {
  const isNamedByHand =
    other.rank === RANK.procfile || (other.rank >= RANK.compose && other.rank < RANK.devcontainer);
  if (known.rank === RANK.package && isNamedByHand) known.name = other.name;
  // A container's port is not the port of the same service when it is run by hand.
  if (other.certainty > known.certainty && other.rank === RANK.procfile) {
    known.port = other.port;
    known.certainty = other.certainty;
  }
  known.directory ??= other.directory;
}

/** With names that are unique: a second one of a name gets that of the folder above it too, or a number. */
function named(candidates: readonly Candidate[]): FoundService[] {
  const taken = new Set<string>();
  return candidates.map(({ name, port, directory, foundIn }) => {
    const own = safeName(name);
    const above = posix.basename(posix.dirname(directory ?? ""));
    const choices = [own, ...(above && above !== "." ? [`${safeName(above)}-${own}`] : [])];
    let unique = choices.find((choice) => !taken.has(choice));
    for (let number = 2; unique === undefined; number++)
      if (!taken.has(`${own}-${number}`)) unique = `${own}-${number}`;
    taken.add(unique);
    return {
      name: unique,
      local: `http://localhost:${port}`,
      directory: directory ? `./${directory}` : undefined,
      foundIn,
    };
  });
}

function safeName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, "-")
      .replace(/^-+|-+$/g, "") || "web"
  );
}
