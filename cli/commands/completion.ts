/** `linkup completion`: scripts that ask `linkup complete` for the words that may come next. */
import type { Command } from "commander";
import { findConfig, newManager } from "../context.ts";
import { UsageError } from "../exit-codes.ts";

// Words come from files of others: bash would carry out what stands in those that `compgen -W` or a prompt are given.
const SCRIPTS: Record<string, string> = {
  bash: `_linkup() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$(printf %q "$word")")
  done < <(linkup complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _linkup linkup
`,
  zsh: `#compdef linkup
_linkup() {
  local -a words_
  words_=("\${(@f)$(linkup complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a words_
}
compdef _linkup linkup
`,
  fish: `complete -c linkup -f -a '(linkup complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};

export function completion(shell: string): void {
  const script = SCRIPTS[shell];
  if (!script)
    throw new UsageError(`There is a completion for ${Object.keys(SCRIPTS).join(", ")}, not for "${shell}".`);
  process.stdout.write(script);
}

/** Prints the words that may stand where the last of these does, a line each. */
export async function complete(linkup: Command, words: string[]): Promise<void> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const { command, rest } = commandOf(linkup, before);
  const candidates = typed.startsWith("-")
    ? command.options.filter(({ hidden }) => !hidden).map(({ long, short }) => long ?? short ?? "")
    : await wordsFor(command, rest, before.at(-1) ?? "");
  const fitting = [...new Set(candidates)].filter((word) => word.startsWith(typed));
  process.stdout.write(fitting.map((word) => `${word}\n`).join(""));
}

/** The command that these words are of, and those that are its arguments. */
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
  // `hidden` is commander's own mark of commands that help does not show.
  const visible = command.commands.filter(
    (candidate) => !(candidate as Command & { _hidden?: boolean })._hidden,
  );
  if (visible.length > 0) return visible.map((candidate) => candidate.name());
  switch (command.name()) {
    case "route":
      return rest.length === 0 ? ["local", "remote"] : serviceNames();
    case "delete":
      return sessionNames();
    case "logs":
      return ["local-server", "tunnel", "local-dns", "keeper"];
    case "completion":
      return Object.keys(SCRIPTS);
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
  const configPath = findConfig(undefined);
  if (configPath === undefined) return [];
  const { readConfig } = await import("../../manager/files/config-file.ts");
  return (await readConfig(configPath)).services.map(({ name }) => name);
}
