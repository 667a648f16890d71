/**
 * Runs the `linkup` command where the user can read and answer it. As a task with a list of arguments: no shell takes
 * part, for which a folder's name might be a command.
 */
import { join } from "node:path";
import * as vscode from "vscode";

export async function runLinkup(
  extensionPath: string,
  title: string,
  args: readonly string[],
): Promise<void> {
  const argv = [join(extensionPath, "dist", "cli.js"), ...args];
  const env = { ELECTRON_RUN_AS_NODE: "1" };
  const execution = new vscode.ProcessExecution(process.execPath, argv, { env });
  const task = new vscode.Task(
    { type: "linkup-command", args },
    vscode.TaskScope.Workspace,
    title,
    "linkup",
    execution,
  );
  task.presentationOptions = {
    reveal: vscode.TaskRevealKind.Always,
    panel: vscode.TaskPanelKind.Dedicated,
    focus: true,
    clear: true,
    showReuseMessage: true,
  };
  await vscode.tasks.executeTask(task);
}
