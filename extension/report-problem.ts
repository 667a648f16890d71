/** Shows problems as notifications, with their actions as buttons. */
import * as vscode from "vscode";
import { LinkupError, type Problem } from "../manager/model/problem.ts";
import { commandId, isCommand } from "./ids.ts";
import { problemMessage } from "./labels.ts";
import type { Linkup } from "./linkup.ts";
import { firstLine, withShortPaths } from "./window-model.ts";
import { t } from "./words.ts";

/** Problems that a notification has shown and that may still be there, by `keyOf`. */
export const shownProblems = new Set<string>();

/** When each message was last shown, ms. */
const shownAt = new Map<string, number>();
const RECENTLY_MS = 60_000;

/** Identifies a problem; numbers in its message (counts, times) do not make it another one. */
export function keyOf({ code, message }: Problem): string {
  return `${code} ${message.replace(/\d+/g, "#")}`;
}

/** True when a notification has shown this problem: within the last minute, or since it is there. */
export function wasReported(problem: Problem): boolean {
  if (shownProblems.has(keyOf(problem))) return true;
  const after = performance.now() - RECENTLY_MS;
  // A command's error message quotes its cause.
  return [...shownAt].some(([shown, at]) => at > after && shown.includes(problem.message));
}

/**
 * Shows an error and runs the action that the user chooses. The notification of a problem that lasts goes with its cause.
 * Resolves when it closes.
 */
export async function report(failure: unknown, linkup: Linkup): Promise<void> {
  const { log, model } = linkup;
  const problem = failure instanceof LinkupError ? failure.problem : failure;
  if (!isProblem(problem)) {
    log.error(failure as Error);
    const showLogs = t("Show Logs");
    const text = t("Unexpected error: {0}", (failure as Error).message);
    const choice = await vscode.window.showErrorMessage(plain(text), showLogs);
    if (choice === showLogs) await vscode.commands.executeCommand(commandId("showLogs"));
    return;
  }
  shownAt.set(problem.message, performance.now());
  log.error(`${problem.title}: ${problem.message}`);
  const message = plain(firstLine(withShortPaths(problemMessage(problem), model.configs)));
  const items = offers(problem);
  const lasts = isCurrent(problem, linkup);
  if (lasts) shownProblems.add(keyOf(problem));
  const choice =
    lasts && items.length < 2
      ? await showWhile(message, items[0], untilGone(problem, linkup))
      : await vscode.window.showErrorMessage(message, ...items);
  if (choice) await vscode.commands.executeCommand(choice.id);
}

/** Shows a problem that arose by itself, with the first of its actions. */
export async function showProblem(problem: Problem, linkup: Linkup): Promise<void> {
  await report({ ...problem, actions: problem.actions.slice(0, 1) }, linkup);
}

/**
 * A notification that goes when `gone` resolves. VS Code's messages cannot be withdrawn, its progress can; its Cancel button
 * takes the action's title. Resolves with the action if it was chosen.
 */
async function showWhile(
  message: string,
  action: Offer | undefined,
  gone: Promise<void>,
): Promise<Offer | undefined> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: message,
    // VS Code takes a string for the button's title, though its types do not say so.
    cancellable: (action?.title ?? false) as boolean,
  };
  return await vscode.window.withProgress(options, async (progress, cancellation) => {
    // A bar at rest: nothing is going on.
    progress.report({ increment: 1 });
    const chosen = new Promise<Offer | undefined>((resolve) =>
      cancellation.onCancellationRequested(() => resolve(action)),
    );
    return await Promise.race([chosen, gone.then(() => undefined)]);
  });
}

function isCurrent(problem: Problem, { model }: Linkup): boolean {
  return model.snapshot.problems.some((other) => keyOf(other) === keyOf(problem));
}

async function untilGone(problem: Problem, linkup: Linkup): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const listening = linkup.onDidChange(() => {
    if (!isCurrent(problem, linkup)) resolve();
  });
  await promise;
  listening.dispose();
}

/** Notifications follow links in their text, command links too; text of others must not have any. */
function plain(text: string): string {
  return text.replaceAll("](", "] (");
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "code" in value && "actions" in value;
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

interface Offer {
  title: string;
  id: string;
}

function offers({ actions }: Problem): Offer[] {
  return actions.flatMap(({ command, title }) =>
    isCommand(command) ? [{ title: t(title), id: commandId(command) }] : [],
  );
}
