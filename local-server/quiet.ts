/**
 * Gives back the memory that a busy time needed. V8 collects when something is allocated: after a page with thousands of
 * requests an idle process would hold for ever what they left behind.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Less than a twentieth of the time between two looks. */
const QUIET_MS = 100;
/**
 * Looks in a row after which it collects: a minute. It takes 40 to 80 ms, and V8 forgets with it what it has learned of the
 * code: a page right behind it costs up to twice the CPU.
 */
export const COLLECTS_AT = 30;

/** Pure: counts how long it has been quiet. */
export class Quiet {
  #before = 0;
  #looks = 0;

  /** `cpuMs`: milliseconds of CPU used since the start. True when it is time to collect. */
  look(cpuMs: number): boolean {
    this.#looks = cpuMs - this.#before < QUIET_MS ? this.#looks + 1 : 0;
    this.#before = cpuMs;
    return this.#looks === COLLECTS_AT;
  }

  /** What the collection took is no use of its own. */
  collected(cpuMs: number): void {
    this.#before = cpuMs;
  }
}

/** As a last resort it gives the pages back at once: else V8 does so some 8 s later the first time, and later not at all. */
const HOW = { type: "major", flavor: "last-resort" };

let collect: ((how: typeof HOW) => void) | undefined;

/** To be called every 2 s. */
export function collectWhenQuiet(quiet: Quiet): void {
  if (!quiet.look(cpuMs())) return;
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as (how: typeof HOW) => void;
  }
  collect(HOW);
  quiet.collected(cpuMs());
}

function cpuMs(): number {
  return process.cpuUsage().user / 1000;
}
