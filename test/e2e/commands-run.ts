// Which of the extension's commands the tests ran, by what a user chose: a title, a key, or the status bar's item.
//   node test/e2e/commands-run.ts forget    before all test files, second tries included
//   node test/e2e/commands-run.ts           after them: fails when a command was left out
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./install.ts";

const file = join(root, "test-results", "vscode", "commands-run.txt");

/** What has no title on the screen is run by something else. */
const OTHERWISE: Record<string, string> = {
  "linkup.toggleService": "Space",
  "linkup.showMenu": "status bar: session",
  "linkup.installCloudflared": "Install cloudflared",
  "linkup.endOrphans": "End Processes",
};

export function ran(choice: string): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${choice.replace(/^Linkup: /, "")}\n`);
}

/** The titles (or keys) of the commands that no test ran. */
function notRun(): string[] {
  const choices = new Set(existsSync(file) ? readFileSync(file, "utf8").split("\n") : []);
  const { commands } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).contributes;
  const titles = JSON.parse(readFileSync(join(root, "package.nls.json"), "utf8"));
  return commands
    .map(
      ({ command, title }: { command: string; title: string }) =>
        OTHERWISE[command] ?? titles[title.slice(1, -1)],
    )
    .filter((choice: string) => !choices.has(choice));
}

if (import.meta.main) {
  if (process.argv[2] === "forget") rmSync(file, { force: true });
  else if (notRun().length > 0) {
    console.error(`No test in VS Code runs these commands: ${notRun().join(", ")}`);
    process.exitCode = 1;
  }
}
