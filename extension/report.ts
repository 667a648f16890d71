/** Problems as notifications, each with the buttons that help. */
import * as vscode from "vscode";
import { LinkupError, type Problem } from "../manager/problem.ts";
import { commandId, isCommand } from "./ids.ts";
import { t } from "./words.ts";

/** Shows a failure and runs what the user chooses. Resolves when the notification is gone. */
export async function report(error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  if (error instanceof LinkupError) {
    log.error(`${error.problem.title}: ${error.problem.message}`);
    return await showProblem(error.problem);
  }
  log.error(error as Error);
  const showLogs = t("Show Logs");
  const choice = await vscode.window.showErrorMessage(
    t("Linkup met an error it does not know: {0}", (error as Error).message),
    showLogs,
  );
  if (choice === showLogs) await vscode.commands.executeCommand(commandId("showLogs"));
}

async function showProblem(problem: Problem): Promise<void> {
  const items = offers(problem);
  const choice = await vscode.window.showErrorMessage(`${t(problem.title)}. ${problem.message}`, ...items);
  if (choice) await vscode.commands.executeCommand(choice.id);
}

/** Does what helps; the user chooses where there is more than one thing. */
export async function solve(problem: Problem): Promise<void> {
  const items = offers(problem);
  const [only] = items;
  const choice =
    items.length === 1
      ? only
      : await vscode.window.showQuickPick(
          items.map((item) => ({ ...item, label: item.title })),
          { title: t(problem.title), placeHolder: problem.message },
        );
  if (choice) await vscode.commands.executeCommand(choice.id);
}

function offers({ actions }: Problem): { title: string; id: string }[] {
  return actions.flatMap(({ command, title }) =>
    isCommand(command) ? [{ title: t(title), id: commandId(command) }] : [],
  );
}
