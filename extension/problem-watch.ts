/** Says what breaks by itself while a session runs: once for each problem, with the buttons that help. */
import type * as vscode from "vscode";
import type { Problem } from "../manager/model/problem.ts";
import type { Linkup } from "./linkup.ts";
import { report, wasReported } from "./report-problem.ts";

/** A command that fails says so itself, and a short disturbance needs no one. */
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

/** The message may count or time something, the same trouble all the same. */
const keyOf = ({ code, message }: Problem) => `${code} ${message.replace(/\d+/g, "#")}`;
