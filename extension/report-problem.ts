/** Shows problems as notifications, with their actions as buttons. */
import * as vscode from "vscode";
import { LinkupError, type Problem } from "../manager/model/problem.ts";
import { commandId, isCommand } from "./ids.ts";
import { problemMessage } from "./labels.ts";
import type { Linkup } from "./linkup.ts";
import { brief, withShortPaths } from "./window-model.ts";
import { t } from "./words.ts";

/** When each problem was last shown, ms. */
const reported = new Map<string, number>();
const RECENTLY_MS = 60_000;

/** True when a notification showed this problem within the last minute. */
export function wasReported({ message }: Problem): boolean {
  const after = performance.now() - RECENTLY_MS;
  // A command's error message quotes its cause.
  return [...reported].some(([shown, at]) => at > after && shown.includes(message));
}

/** Shows an error and runs the action that the user chooses. Resolves when the notification closes. */
export async function report(failure: unknown, { log, model }: Linkup): Promise<void> {
  const problem = failure instanceof LinkupError ? failure.problem : failure;
  if (isProblem(problem)) {
    reported.set(problem.message, performance.now());
    log.error(`${problem.title}: ${problem.message}`);
    return await showProblem({
      ...problem,
      message: brief(withShortPaths(problemMessage(problem), model.configs)),
    });
  }
  log.error(failure as Error);
  const showLogs = t("Show Logs");
  const choice = await vscode.window.showErrorMessage(
    t("Unexpected error: {0}", (failure as Error).message),
    showLogs,
  );
  if (choice === showLogs) await vscode.commands.executeCommand(commandId("showLogs"));
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "code" in value && "actions" in value;
}

async function showProblem(problem: Problem): Promise<void> {
  const items = offers(problem);
  const choice = await vscode.window.showErrorMessage(problem.message, ...items);
  if (choice) await vscode.commands.executeCommand(choice.id);
}

/** Runs the problem's action; asks the user where there are several. */
export async function solve(problem: Problem): Promise<void> {
  const items = offers(problem);
  const [only] = items;
  const choice =
    items.length === 1
      ? only
      : await vscode.window.showQuickPick(
          items.map((item) => ({ ...item, label: item.title })),
          { title: t(problem.title), placeHolder: problemMessage(problem) },
        );
  if (choice) await vscode.commands.executeCommand(choice.id);
}

function offers({ actions }: Problem): { title: string; id: string }[] {
  return actions.flatMap(({ command, title }) =>
    isCommand(command) ? [{ title: t(title), id: commandId(command) }] : [],
  );
}
