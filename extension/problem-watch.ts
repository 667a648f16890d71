/** Notifies about problems that arise while a session of this window runs: once per problem, also over a reload. */
import type * as vscode from "vscode";
import type { Problem } from "../manager/model/problem.ts";
import type { Linkup } from "./linkup.ts";
import { keyOf, shownProblems, showProblem, wasReported } from "./report-problem.ts";
import { setting } from "./settings.ts";
import { ownSessions, type WindowModel } from "./window-model.ts";

/** Failing commands report their own errors, and short disturbances resolve themselves. */
const NOTIFY_DELAY_MS = 2_000;
/** After a reload it takes a while until every problem that was there is found again. */
const SETTLED_MS = 15_000;
/** Of what is remembered over a reload. */
const MAX_TOLD = 50;
const MEMORY_KEY = "toldProblems";

export function registerProblemWatch(context: vscode.ExtensionContext, linkup: Linkup): void {
  const { workspaceState: memory } = context;
  const began = performance.now();
  const timers = new Map<string, NodeJS.Timeout>();
  let remembered = JSON.stringify(memory.get<string[]>(MEMORY_KEY, []));
  for (const key of JSON.parse(remembered) as string[]) shownProblems.add(key);
  const remember = () => {
    const now = JSON.stringify([...shownProblems].slice(-MAX_TOLD));
    if (now !== remembered) void memory.update(MEMORY_KEY, JSON.parse(now));
    remembered = now;
  };
  const watch = () => {
    const current = new Map(
      linkup.model.snapshot.problems
        .filter((problem) => concerns(problem, linkup.model))
        .map((problem) => [keyOf(problem), problem]),
    );
    for (const [key, timer] of timers) {
      if (current.has(key)) continue;
      clearTimeout(timer);
      timers.delete(key);
    }
    if (performance.now() - began > SETTLED_MS)
      for (const key of shownProblems) if (!current.has(key)) shownProblems.delete(key);
    for (const [key, problem] of current) {
      if (timers.has(key)) continue;
      const notify = () => {
        if (!wasReported(problem) && setting("notifications")) void showProblem(problem, linkup);
        shownProblems.add(key);
        remember();
      };
      timers.set(key, setTimeout(notify, NOTIFY_DELAY_MS));
    }
    remember();
  };
  context.subscriptions.push(linkup.onDidChange(watch), { dispose: () => timers.forEach(clearTimeout) });
}

/** True for problems of this workspace's sessions, and for those of the machine while one of them is there. */
function concerns({ configPath }: Problem, model: WindowModel): boolean {
  if (configPath === undefined) return ownSessions(model).length > 0;
  return model.configs.some(({ path }) => path === configPath);
}
