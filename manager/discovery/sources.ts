/** Extracts services from package.json scripts, Procfiles and env files. Pure. */
import type { ServiceProposal } from "./found-service.ts";
import { asPort, portOf } from "./port.ts";

export type EnvVariables = Readonly<Record<string, string>>;

/** Names of development scripts, most usual first. */
const SCRIPTS = ["dev", "start:dev", "develop", "serve", "start"];

/** `viteConfig`: the text of the vite.config beside it. */
export function fromPackageJson(
  text: string,
  directory: string,
  env: EnvVariables,
  viteConfig: string | undefined,
): Omit<ServiceProposal, "foundIn"> | undefined {
  const { name, scripts } = packageOf(text);
  const commands = SCRIPTS.flatMap((script) => scripts[script] ?? []);
  for (const command of commands) {
    const configured = /\bvite\b/.test(command) ? vitePort(viteConfig) : undefined;
    const port = portOf(command, configured ? { ...env, PORT: configured } : env);
    if (port) return { name: name.replace(/^@[^/]*\//, "") || lastPart(directory), port, directory };
  }
  return undefined;
}

function packageOf(text: string): { name: string; scripts: Record<string, string> } {
  try {
    const { name, scripts } = JSON.parse(text) as { name?: unknown; scripts?: unknown };
    const texts = Object.entries(scripts ?? {}).filter(([, command]) => typeof command === "string");
    return { name: typeof name === "string" ? name : "", scripts: Object.fromEntries(texts) };
  } catch {
    // Invalid JSON, perhaps half written: no scripts.
    return { name: "", scripts: {} };
  }
}

function vitePort(config: string | undefined): string | undefined {
  return /\bserver\s*:\s*\{[^}]*?\bport\s*:\s*(\d+)/.exec(config ?? "")?.[1];
}

/** Lines of a name and a command. */
export function fromProcfile(
  text: string,
  directory: string,
  env: EnvVariables,
): Omit<ServiceProposal, "foundIn">[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name, command] = /^([\w-]+):\s*(.+)$/.exec(line) ?? [];
    // PORT is that of the process called web.
    const port = command && portOf(command, name === "web" ? env : { ...env, PORT: "" });
    return name && port ? [{ name, port, directory }] : [];
  });
}

/** A folder whose start command is unknown, but whose env files set PORT. */
export function fromEnv(env: EnvVariables, directory: string): Omit<ServiceProposal, "foundIn"> | undefined {
  const port = asPort(env.PORT);
  return port ? { name: lastPart(directory), port, directory } : undefined;
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
