/** The restart policy: backoff after failures, and when to give up. Pure. */

import { text } from "../../core/text.ts";
import type { ProcessId } from "../../node/process-identity.ts";
import { problem as newProblem, type Problem, textOf } from "./problem.ts";

/** The recorded state of a supervised process. */
export interface Supervised {
  /** Null while none was started, or after it ended. */
  process: ProcessId | null;
  /** When it was started. Milliseconds since the epoch, as all times here. */
  started: number;
  /** Number of failures in a row. */
  failures: number;
  /** Earliest time of the next try; null after giving up. */
  retry_at: number | null;
  /** Why it does not run. */
  problem: Problem | null;
}

/** One that is ready when it answers, and not when it was started. */
export interface SupervisedUntilReady extends Supervised {
  ready: boolean;
}

/** The waits before each restart: the first is immediate; after the last one Linkup gives up. */
const WAITS_MS = [0, 1_000, 2_000, 5_000, 10_000, 20_000];
/** A process that ran this long counts as stable: its failures are counted anew. */
const STABLE_MS = 60_000;

export function notStarted(): Supervised {
  return { process: null, started: 0, failures: 0, retry_at: 0, problem: null };
}

/** Longer than any wait above: a time further ahead was written before the clock was set back. */
const LONGEST_WAIT_MS = 60_000;

/** True when a retry is due. */
export function isDue({ retry_at }: Pick<Supervised, "retry_at">, now: number): boolean {
  return retry_at !== null && (retry_at <= now || retry_at > now + LONGEST_WAIT_MS);
}

/** Exponential backoff: doubles with each failure in a row, up to `longestMs`. */
export function backoffMs(failures: number, firstMs: number, longestMs: number): number {
  return Math.min(firstMs * 2 ** (failures - 1), longestMs);
}

export function markStarted<T extends Supervised>(before: T, process: ProcessId, now: number): T {
  return { ...before, process, started: now };
}

/** The process is healthy. The failure count is reset once it has been stable for a while. */
export function markHealthy<T extends Supervised>(before: T, now: number): T {
  const stable = now - before.started >= STABLE_MS;
  return { ...before, problem: null, failures: stable ? 0 : before.failures };
}

/** The process ended or never became ready. `unlimited`: for processes that depend on the network. */
export function failed<T extends Supervised>(
  before: T,
  problem: Problem,
  now: number,
  patience: "limited" | "unlimited" = "limited",
): T {
  const inARow = before.process !== null && now - before.started >= STABLE_MS ? 0 : before.failures;
  const wait = WAITS_MS[inARow] ?? (patience === "unlimited" ? WAITS_MS.at(-1) : undefined);
  return {
    ...before,
    process: null,
    failures: inARow + 1,
    retry_at: wait === undefined ? null : now + wait,
    problem: wait === undefined ? givenUp(problem, inARow) : problem,
  };
}

function givenUp(problem: Problem, times: number): Problem {
  return newProblem(
    problem.code,
    text(
      "{0}\nIt failed {1} times in a row and will not be restarted automatically.",
      textOf(problem),
      times,
    ),
    [{ command: "restart", title: "Try Again", terminal: "linkup start" }, ...problem.actions],
  );
}
