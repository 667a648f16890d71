/** Takes turns among Workers, so that what else the machine does meets all of them. */
import { setTimeout as delay } from "node:timers/promises";
import { mean, percentile } from "../statistics.ts";
import { cpuOf } from "./cpu.ts";
import { run } from "./load.ts";

/**
 * Short turns, and many: some fall into a time when nothing else runs. With those before it, fewer requests than a Worker
 * reports in a second (`MAX_REPORTS_PER_SECOND`).
 */
const REQUESTS = 250;
/** Requests before each turn that do not count. */
const BEFORE = 25;
/** Rounds before those that count, in which V8 compiles. */
const WARM_UP = 3;
/** Fewer say little. */
const MIN_ROUNDS = 5;

/** Longer than a Worker collects its reports. */
const REPORTED_MS = 400;

export const CONNECTIONS = [1, 32] as const;

/** One kind of requests, to several processes of the same Worker. */
export interface BenchRow {
  name: string;
  workers: readonly { url: string; pid: number }[];
  /** The head of a request, for each of the processes. */
  heads: readonly string[];
  /** Its session is watched: each turn has a second of its own, so that all its requests are reported, and lasts until they are. */
  isWatched: boolean;
  /** By number of connections. */
  measured: Record<number, Measured>;
}

interface Measured {
  /** Of each process, microseconds of CPU for a request in each round. */
  cpu: number[][];
  /** Milliseconds of each request. */
  times: number[];
}

export function newRow(
  name: string,
  workers: BenchRow["workers"],
  heads: readonly string[],
  isWatched = false,
): BenchRow {
  const empty = (): Measured => ({ cpu: workers.map(() => []), times: [] });
  return {
    name,
    workers,
    heads,
    isWatched,
    measured: Object.fromEntries(CONNECTIONS.map((count) => [count, empty()])),
  };
}

/** Rounds until the time is over; `tell` is called after each. */
export async function takeTurns(
  rows: readonly BenchRow[],
  seconds: number,
  tell: (round: number, secondsLeft: number) => void,
): Promise<void> {
  for (let round = 1 - WARM_UP; round <= 0; round++) await takeTurn(rows, round, false);
  const end = performance.now() + seconds * 1000;
  for (let round = 1; round <= MIN_ROUNDS || performance.now() < end; round++) {
    await takeTurn(rows, round, true);
    tell(round, Math.max(0, (end - performance.now()) / 1000));
  }
}

async function takeTurn(rows: readonly BenchRow[], round: number, counts: boolean): Promise<void> {
  // Nobody always comes after the same one.
  const first = (round + WARM_UP) % rows.length;
  const order = [...rows.slice(first), ...rows.slice(0, first)];
  for (let process = 0; process < rows[0]!.workers.length; process++) {
    for (const { workers, heads, isWatched, measured } of order) {
      const { url, pid } = workers[process]!;
      const head = () => heads[process]!;
      for (const connections of CONNECTIONS) {
        if (isWatched) await delay(1000 - (Date.now() % 1000));
        // The turns of the others have taken longer than a session stays warm without requests, and the core's caches.
        await run({ url, connections: 1, requests: BEFORE, head });
        const before = cpuOf(pid);
        const times = await run({ url, connections, requests: REQUESTS, head });
        if (isWatched) await delay(REPORTED_MS);
        if (!counts) continue;
        measured[connections]!.cpu[process]!.push(((cpuOf(pid) - before) * 1000) / REQUESTS);
        measured[connections]!.times.push(...times);
      }
    }
  }
}

/**
 * Microseconds of CPU for a request. What else runs on the machine only ever adds: the lower rounds of each process are the
 * truer ones.
 */
export function cpuOfRow(row: BenchRow, connections: number): number {
  return mean(row.workers.map((_, process) => cpuOfProcess(row, connections, process)));
}

/** The same of one of its processes. */
export function cpuOfProcess(row: BenchRow, connections: number, process: number): number {
  return percentile(row.measured[connections]!.cpu[process]!, 0.1);
}
