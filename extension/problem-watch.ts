/** Notifies about problems that arise while a session runs: once per problem, with its actions as buttons. */
import type * as vscode from "vscode";
import type { Problem } from "../manager/model/problem.ts";
import type { Linkup } from "./linkup.ts";
import { report, wasReported } from "./report-problem.ts";

/** Failing commands report their own errors, and short disturbances resolve themselves. */
const PATIENCE_MS = 2_000;

export function registerProblemWatch(context: vscode.ExtensionContext, linkup: Linkup): void {
  const told = new Map<string, NodeJS.Timeout>();
  const isThere = (key: string) => linkup.model.snapshot.problems.some((problem) => keyOf(problem) === key);
  const watch = () => {
    for (const [key, timer] of told) {
      if (isThere(key)) continue;
      clearTimeout(timer);
      told.delete(key);
    }
    for (const problem of linkup.model.snapshot.problems) {
      const key = keyOf(problem);
      if (told.has(key)) continue;
      const tell = () => {
        if (isThere(key) && !wasReported(problem)) void report(problem, linkup);
      };
      told.set(key, setTimeout(tell, PATIENCE_MS));
    }
  };
  context.subscriptions.push(linkup.onDidChange(watch), { dispose: () => told.forEach(clearTimeout) });
}

/** Identifies a problem; numbers in its message (counts, times) do not make it another one. */
const keyOf = ({ code, message }: Problem) => `${code} ${message.replace(/\d+/g, "#")}`;
