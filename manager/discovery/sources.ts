/** Extracts services from package.json scripts, Nx projects, Procfiles, env files and devcontainers. Pure. */
import { posix } from "node:path";
import { parse } from "yaml";
import { NOT_HTTP } from "./compose.ts";
import { CERTAINTY, type ServiceProposal } from "./found-service.ts";
import { asPort, findPort, portInSource, portInViteConfig, readsViteConfig } from "./port.ts";

export type EnvVariables = Readonly<Record<string, string>>;

/** Names of development scripts, most usual first. */
export const SCRIPTS = ["dev", "start:dev", "develop", "serve", "start"];
/** A script beside them that only adds a port: `yarn dev -p 3001`. */
const OTHER_PORT = /^(?:npm run|pnpm|yarn|bun run)(?: run)? (?:dev|start)\b.*\s(?:-p|--port)/;

/** What stands beside a package's command. */
export interface PackageContext {
  env: EnvVariables;
  viteConfig: string | undefined;
  /** The texts of its likely entry points. */
  entryPoints: readonly string[];
}

export function fromPackageJson(
  text: string,
  directory: string,
  surroundings: PackageContext,
): ServiceProposal | undefined {
  const { name, scripts } = packageOf(text);
  const own = name.replace(/^@[^/]*\//, "") || lastPart(directory);
  const commands = SCRIPTS.flatMap((script) => scripts[script] ?? []);
  const refinements = Object.entries(scripts)
    .filter(([script, command]) => /^(dev|start):/.test(script) && OTHER_PORT.test(command))
    .map(([, command]) => command);
  return fromCommands(own, directory, commands, surroundings, refinements);
}

/** An Nx project: the commands or the executor of the target that serves it. */
export function fromNxProject(
  text: string,
  directory: string,
  surroundings: PackageContext,
): ServiceProposal | undefined {
  const { name, targets } = jsonOf(text) as { name?: unknown; targets?: Record<string, NxTarget> };
  const own = typeof name === "string" && name ? name.split("/").at(-1)! : lastPart(directory);
  for (const target of ["serve", "dev", "start"]) {
    const { executor, options } = targets?.[target] ?? {};
    const port = asPort(String(options?.port ?? ""));
    if (port) return { name: own, port, certainty: CERTAINTY.stated, directory };
    const commands = [options?.command, ...(Array.isArray(options?.commands) ? options.commands : [])]
      .map((command) => (typeof command === "object" ? (command as { command?: unknown })?.command : command))
      .filter((command) => typeof command === "string");
    const usual = NX_EXECUTORS.find(([pattern]) => pattern.test(String(executor)))?.[1];
    const found = fromCommands(own, directory, usual ? [...commands, usual] : commands, surroundings);
    if (found) return found;
  }
  return undefined;
}

type NxTarget = { executor?: unknown; options?: { port?: unknown; command?: unknown; commands?: unknown } };

/** Nx's executors of development servers, as the commands that they run. */
const NX_EXECUTORS: readonly (readonly [RegExp, string])[] = [
  [/next:server$/, "next dev"],
  [/vite:dev-server$/, "vite"],
  [/angular:(dev-server|module-federation-dev-server)$/, "ng serve"],
  [/webpack:dev-server$/, "ng serve"],
  [/storybook:storybook$/, "storybook dev"],
];

/** `commands`: the first that tells a port counts, and what makes its port more certain: a refinement, or the source. */
function fromCommands(
  name: string,
  directory: string,
  commands: readonly string[],
  { env, viteConfig, entryPoints }: PackageContext,
  refinements: readonly string[] = [],
): ServiceProposal | undefined {
  const source = entryPoints.map(portInSource).find((port) => port !== undefined);
  for (const command of commands) {
    const configured = readsViteConfig(command) ? portInViteConfig(viteConfig ?? "") : undefined;
    const found = [command, ...refinements].flatMap(
      (each) => findPort(each, withPort(env, each === command ? (configured ?? env.PORT) : "")) ?? [],
    );
    const runs = PROGRAMS.test(command);
    if (source && runs) found.push({ port: source, certainty: CERTAINTY.configured });
    // An env file's PORT tells nothing of a compiler or a task runner.
    const [best] = found
      .filter(({ certainty }) => certainty !== CERTAINTY.configured || runs || findPort(command, {}))
      .toSorted((a, b) => b.certainty - a.certainty);
    if (best) return { name, ...best, directory };
  }
  return undefined;
}

function withPort(env: EnvVariables, port: string | undefined): EnvVariables {
  return { ...env, PORT: port ?? "" };
}

/** Programs that may listen, though the command does not say where. */
const PROGRAMS =
  /\b(node|nodemon|tsx|ts-node|ts-node-dev|bun|deno|nest|python3?|ruby|go run|air|cargo run|dotnet|java|gradlew?|mvnw?)\b/;

function packageOf(text: string): { name: string; scripts: Record<string, string> } {
  const { name, scripts } = jsonOf(text) as { name?: unknown; scripts?: unknown };
  const texts = Object.entries(scripts ?? {}).filter(([, command]) => typeof command === "string");
  return { name: typeof name === "string" ? name : "", scripts: Object.fromEntries(texts) };
}

function jsonOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value ? value : {};
  } catch {
    // Invalid JSON, perhaps half written.
    return {};
  }
}

/** Lines of a name and a command, which may change to another folder first. */
export function fromProcfile(text: string, directory: string, env: EnvVariables): ServiceProposal[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name, command] = /^([\w-]+):\s*(.+)$/.exec(line) ?? [];
    // PORT is that of the process called web.
    const found = command && findPort(command, name === "web" ? env : { ...env, PORT: "" });
    if (!name || !found) return [];
    const folder = /(?:^|\s)(?:cd|--cwd|--prefix|--dir|-C)[= ](?:\.\/)?([\w@][\w@./-]*)/.exec(command)?.[1];
    const elsewhere = folder && posix.join(directory, folder).replace(/\/$/, "");
    return [{ name, ...found, directory: elsewhere && !elsewhere.startsWith("..") ? elsewhere : directory }];
  });
}

/** A folder whose start command is unknown, but whose env files set PORT. */
export function fromEnv(env: EnvVariables, directory: string): ServiceProposal | undefined {
  const port = asPort(env.PORT);
  return port ? { name: lastPart(directory), port, certainty: CERTAINTY.configured, directory } : undefined;
}

/** The ports that a development container forwards, by their labels. */
export function fromDevcontainer(text: string): ServiceProposal[] {
  let container: { forwardPorts?: unknown; portsAttributes?: Record<string, { label?: unknown }> } | null;
  try {
    // JSON with comments; YAML accepts its trailing commas.
    container = parse(text.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "$1"));
  } catch {
    return [];
  }
  const ports = Array.isArray(container?.forwardPorts) ? container.forwardPorts : [];
  return ports.flatMap((forwarded) => {
    const port = asPort(String(forwarded));
    if (!port || NOT_HTTP.has(port)) return [];
    const { label } = container?.portsAttributes?.[String(port)] ?? {};
    const name = typeof label === "string" && label ? label : `port-${port}`;
    return [{ name, port, certainty: CERTAINTY.stated, directory: undefined }];
  });
}

/** `NAME=value` lines; quotes around a value do not belong to it. */
export function parseEnv(text: string): Record<string, string> {
  const lines = text.matchAll(/^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(?:(["'])(.*?)\2|([^#\r\n]*))/gm);
  return Object.fromEntries(
    [...lines].map(([, name, , quoted, bare]) => [name!, quoted ?? bare?.trim() ?? ""]),
  );
}

function lastPart(directory: string): string {
  return directory.split("/").at(-1) || "web";
}
