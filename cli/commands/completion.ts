/** `linkup completion`: scripts that ask `linkup complete` for the candidates. */
import { basename } from "node:path";
import type { Command } from "commander";
import { findConfig, newManager } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { print } from "../print/output.ts";

// The words come from files of others: each shell gets them as data, and never evaluates them. bash would evaluate the words
// that `compgen -W` is given.
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
  elvish: `set edit:completion:arg-completer[linkup] = {|@words|
  var typed = $words[1..]
  e:linkup complete -- $@typed 2>/dev/null | from-lines
}
`,
  // Windows PowerShell drops empty arguments: '""' reaches linkup as an empty word there, and as two quotes elsewhere.
  powershell: `Register-ArgumentCompleter -Native -CommandName linkup -ScriptBlock {
  param($typed, $commandLine, $cursor)
  $words = @($commandLine.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.StartOffset -lt $cursor } | ForEach-Object { $_.ToString() })
  if ($typed -eq '') { $words += '""' }
  linkup complete '--' @words 2>$null | ForEach-Object {
    $text = if ($_ -match '^[\\w.:/=-]+$') { $_ } else { "'" + $_.Replace("'", "''") + "'" }
    [System.Management.Automation.CompletionResult]::new($text, $_, 'ParameterValue', $_)
  }
}
`,
};

/** Prints the script for this shell, by default the user's own one. */
export function completion(shell = ownShell()): void {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined)
    throw new UsageError(
      `There is no completion for "${shell}". Use one of: ${Object.keys(SCRIPTS).join(", ")}.`,
    );
  print(script);
}

function ownShell({ SHELL } = process.env): string {
  const name = basename(SHELL ?? "", ".exe");
  if (name === "pwsh" || (name === "" && process.platform === "win32")) return "powershell";
  if (name === "") throw new UsageError("SHELL is not set. Name the shell: linkup completion bash");
  return name;
}

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
