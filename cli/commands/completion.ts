/** `linkup completion`: scripts that ask `linkup complete` for the candidates. */
import { basename } from "node:path";
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
# As a file of fpath this is the function's first call, or else it is sourced.
if [[ $funcstack[1] == _linkup ]]; then _linkup; else compdef _linkup linkup; fi
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

export const SHELLS: readonly string[] = Object.keys(SCRIPTS);

/** Prints the script for this shell, by default the user's own one. */
export function completion(shell = ownShell()): void {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined)
    throw new UsageError(`There is no completion for "${shell}". Use one of: ${SHELLS.join(", ")}.`);
  print(script);
}

function ownShell({ SHELL } = process.env): string {
  const name = basename(SHELL ?? "", ".exe");
  if (name === "pwsh" || (name === "" && process.platform === "win32")) return "powershell";
  if (name === "") throw new UsageError("SHELL is not set. Name the shell: linkup completion bash");
  return name;
}
