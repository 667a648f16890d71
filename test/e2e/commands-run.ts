// Which of the extension's commands the tests ran, by what a user chose: a title, a key, or the status bar's item.
import { appendFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./install.ts";

const file = join(root, "test-results", "vscode", "commands-run.txt");

/** What has no title on the screen is run by something else. */
const OTHERWISE: Record<string, string> = {
  "linkup.toggleService": "Space",
  "linkup.showMenu": "status bar: session",
  "linkup.installCloudflared": "Install cloudflared",
};

export function ran(choice: string): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${choice.replace(/^Linkup: /, "")}\n`);
}

export function forgetCommands(): void {
  rmSync(file, { force: true });
}

/** Throws, naming them, when a run of all test files left commands out. `files`: how many were run. */
export function expectEveryCommand(files: number): void {
  if (files < globSync("test/e2e/*.test.ts", { cwd: root }).length) return;
  const choices = new Set(existsSync(file) ? readFileSync(file, "utf8").split("\n") : []);
  const { commands } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).contributes;
  const titles = JSON.parse(readFileSync(join(root, "package.nls.json"), "utf8"));
  const notRun = commands
    .map(
      ({ command, title }: { command: string; title: string }) =>
        OTHERWISE[command] ?? titles[title.slice(1, -1)],
    )
    .filter((choice: string) => !choices.has(choice));
  if (notRun.length > 0) throw new Error(`No test in VS Code runs these commands: ${notRun.join(", ")}`);
}
