/** What each kind of file tells of services: the development scripts of a package.json, Procfiles, env files. Pure. */
import type { Proposal } from "./found-service.ts";
import { asPort, portOf } from "./port.ts";

export type Env = Readonly<Record<string, string>>;

/** In the order in which people name what they run while they work. */
const SCRIPTS = ["dev", "start:dev", "develop", "serve", "start"];

/** `viteConfig`: the text of the vite.config beside it. */
export function fromPackageJson(
  text: string,
  directory: string,
  env: Env,
  viteConfig: string | undefined,
): Omit<Proposal, "foundIn"> | undefined {
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
    // Half written, or none: it tells nothing.
    return { name: "", scripts: {} };
  }
}

function vitePort(config: string | undefined): string | undefined {
  return /\bserver\s*:\s*\{[^}]*?\bport\s*:\s*(\d+)/.exec(config ?? "")?.[1];
}

/** Lines of a name and a command. */
export function fromProcfile(text: string, directory: string, env: Env): Omit<Proposal, "foundIn">[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name, command] = /^([\w-]+):\s*(.+)$/.exec(line) ?? [];
    // PORT is that of the process called web.
    const port = command && portOf(command, name === "web" ? env : { ...env, PORT: "" });
    return name && port ? [{ name, port, directory }] : [];
  });
}

/** For what is started by a command that nothing here knows: its env files have PORT. */
export function fromEnv(env: Env, directory: string): Omit<Proposal, "foundIn"> | undefined {
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
