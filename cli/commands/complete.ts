/** `linkup complete`: internal. The shells' completion scripts ask it for candidates. */
import type { Command } from "commander";
import { findConfig, newManager } from "../context.ts";
import { print } from "../print/output.ts";
import { SHELLS } from "./completion.ts";

/** Prints the candidates for the last of these words, one per line. */
export async function complete(linkup: Command, words: string[]): Promise<void> {
  const typed = words.at(-1)?.replace(/^""$/, "") ?? "";
  const before = words.slice(0, -1);
  const { command, rest } = commandOf(linkup, before);
  const candidates = typed.startsWith("-")
    ? command.options.filter(({ hidden }) => !hidden).map(({ long, short }) => long ?? short ?? "")
    : await wordsFor(command, rest, before.at(-1) ?? "");
  const matching = [...new Set(candidates)].filter((word) => word.startsWith(typed));
  print(matching.map((word) => `${word}\n`).join(""));
}

/** The command that these words name, and the words that are its arguments. */
function commandOf(linkup: Command, words: string[]): { command: Command; rest: string[] } {
  let command = linkup;
  let rest = words.filter((word) => !word.startsWith("-"));
  for (;;) {
    const [word] = rest;
    const next = command.commands.find(
      (candidate) => candidate.name() === word || candidate.aliases().includes(word ?? ""),
    );
    if (!next) return { command, rest };
    command = next;
    rest = rest.slice(1);
  }
}

async function wordsFor(command: Command, rest: string[], previous: string): Promise<string[]> {
  if (previous === "--session" || previous === "-s") return sessionNames();
  if (previous === "--service") return serviceNames();
  // Commander's own mark of hidden commands.
  const visible = command.commands.filter(
    (candidate) => !(candidate as Command & { _hidden?: boolean })._hidden,
  );
  if (visible.length > 0) return visible.map((candidate) => candidate.name());
  switch (command.name()) {
    case "route":
      return rest.length === 0 ? ["local", "remote"] : serviceNames();
    case "on":
    case "off":
      return overrideNames();
    case "delete":
      return sessionNames();
    case "logs":
      return ["local-server", "tunnel", "local-dns", "keeper"];
    case "completion":
      return [...SHELLS];
    case "create-preview":
    case "preview":
    case "create-isolated":
      return (await serviceNames()).map((name) => `${name}=`);
    default:
      return [];
  }
}

async function sessionNames(): Promise<string[]> {
  const { sessions } = await newManager({ keep: false }).look();
  return sessions.flatMap(({ name }) => name ?? []);
}

async function serviceNames(): Promise<string[]> {
  return ((await nearestConfig())?.services ?? []).map(({ name }) => name);
}

async function overrideNames(): Promise<string[]> {
  return ((await nearestConfig())?.overrides ?? []).map(({ name }) => name);
}

async function nearestConfig() {
  const configPath = findConfig(undefined);
  if (configPath === undefined) return undefined;
  const { readConfig } = await import("../../manager/files/config-file.ts");
  return readConfig(configPath);
}
