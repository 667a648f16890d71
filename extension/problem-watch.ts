/** Notifies about problems that arise while a session runs: once per problem, with its actions as buttons. */
import type * as vscode from "vscode";
import type { Problem } from "../manager/model/problem.ts";
import type { Linkup } from "./linkup.ts";
import { report, wasReported } from "./report-problem.ts";

/** Failing commands report their own errors, and short disturbances resolve themselves. */
const NOTIFY_DELAY_MS = 2_000;

export function registerProblemWatch(context: vscode.ExtensionContext, linkup: Linkup): void {
  const timers = new Map<string, NodeJS.Timeout>();
  const isCurrent = (key: string) => linkup.model.snapshot.problems.some((problem) => keyOf(problem) === key);
  const watch = () => {
    for (const [key, timer] of timers) {
      if (isCurrent(key)) continue;
      clearTimeout(timer);
      timers.delete(key);
    }
    for (const problem of linkup.model.snapshot.problems) {
      const key = keyOf(problem);
      if (timers.has(key)) continue;
      const notify = () => {
        if (isCurrent(key) && !wasReported(problem)) void report(problem, linkup);
      };
      timers.set(key, setTimeout(notify, NOTIFY_DELAY_MS));
    }
  };
  context.subscriptions.push(linkup.onDidChange(watch), { dispose: () => timers.forEach(clearTimeout) });
}

/** Identifies a problem; numbers in its message (counts, times) do not make it another one. */
const keyOf = ({ code, message }: Problem) => `${code} ${message.replace(/\d+/g, "#")}`;
