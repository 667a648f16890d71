/** Combines what the files of a workspace say into services. Pure. */
import { posix } from "node:path";
import { fromCompose } from "./compose.ts";
import type { FoundService, ServiceProposal } from "./found-service.ts";
import { type EnvVariables, fromEnv, fromPackageJson, fromProcfile, parseEnv } from "./sources.ts";

const COMPOSE = /^(docker-)?compose\.ya?ml$/;
const PROCFILE = /^Procfile(\.dev)?$/;
const VITE_CONFIG = /^vite\.config\.[cm]?[jt]s$/;
/** Later files override earlier ones, as in the frameworks that read them. */
const ENV_FILES = [".env", ".env.development", ".env.local", ".env.development.local"];

/** True for a file name that services are read from. */
export function isSource(name: string): boolean {
  return (
    name === "package.json" ||
    ENV_FILES.includes(name) ||
    [COMPOSE, PROCFILE, VITE_CONFIG].some((pattern) => pattern.test(name))
  );
}

/**
 * `files`: content by path, relative to the workspace's folder, with `/`. What several files tell of one service
 * (the same port, folder or name) is said once, by the file that is nearest to how it is run by hand.
 */
export function servicesIn(files: ReadonlyMap<string, string>): FoundService[] {
  const folders = new Map<string, Map<string, string>>();
  for (const [path, text] of [...files].sort()) {
    const directory = posix.dirname(path) === "." ? "" : posix.dirname(path);
    const folder = folders.get(directory) ?? new Map();
    folders.set(directory, folder.set(posix.basename(path), text));
  }
  const proposals = [...folders].flatMap(([directory, folder]) => proposalsOf(directory, folder));
  const found: FoundService[] = [];
  for (const rank of [0, 1, 2, 3]) {
    for (const proposal of proposals) {
      if (proposal.rank === rank) add(found, proposal);
    }
  }
  return found;
}

interface Ranked extends ServiceProposal {
  /** Lower ranks are closer to how the service is run by hand. */
  rank: number;
}

function proposalsOf(directory: string, folder: ReadonlyMap<string, string>): Ranked[] {
  const env: EnvVariables = Object.assign({}, ...ENV_FILES.map((name) => parseEnv(folder.get(name) ?? "")));
  const viteConfig = [...folder].find(([name]) => VITE_CONFIG.test(name))?.[1];
  const proposals: Ranked[] = [];
  const say = (
    rank: number,
    name: string,
    told: readonly (Omit<ServiceProposal, "foundIn"> | undefined)[],
  ) => {
    for (const each of told)
      if (each) proposals.push({ ...each, rank, foundIn: posix.join(directory, name) });
  };
  for (const [name, text] of folder) {
    if (name === "package.json") say(0, name, [fromPackageJson(text, directory, env, viteConfig)]);
    if (PROCFILE.test(name)) say(1, name, fromProcfile(text, directory, env));
    if (COMPOSE.test(name)) say(2, name, fromCompose(text, directory, env));
  }
  const envFile = ENV_FILES.findLast((name) => folder.has(name));
  if (envFile && directory !== "") say(3, envFile, [fromEnv(env, directory)]);
  return proposals;
}

/** Adds the service unless it is known already. */
function add(found: FoundService[], { name, port, directory, foundIn }: ServiceProposal): void {
  const service: FoundService = {
    name: safeName(name),
    local: `http://localhost:${port}`,
    directory: directory ? `./${directory}` : undefined,
    foundIn,
  };
  const known = found.some(
    (other) =>
      other.name === service.name ||
      other.local === service.local ||
      (service.directory !== undefined && other.directory === service.directory),
  );
  if (!known) found.push(service);
}

function safeName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, "-")
      .replace(/^-+|-+$/g, "") || "web"
  );
}
