/**
 * Returns the memory of a busy time. V8 collects when something is allocated: after a page with thousands of requests an
 * idle process would keep for ever what they left behind.
 */
import { collectGarbage } from "../node/v8.ts";

/** CPU ms per sample below which the process counts as idle: 5 % of the 5 s between two samples. */
const IDLE_CPU_MS = 250;
/**
 * Idle samples in a row before a collection: a minute. A collection takes 40 to 80 ms, and makes V8 forget what it has learned
 * about the code: a page loaded right after it costs up to twice the CPU.
 */
export const COLLECT_AFTER_SAMPLES = 12;

/** Pure: counts how long the process has been idle. */
export class IdleDetector {
  #lastCpuMs = 0;
  #idleSamples = 0;

  /** `cpuMs`: CPU time since the process started. True when it is time to collect. */
  sample(cpuMs: number): boolean {
    this.#idleSamples = cpuMs - this.#lastCpuMs < IDLE_CPU_MS ? this.#idleSamples + 1 : 0;
    this.#lastCpuMs = cpuMs;
    return this.#idleSamples === COLLECT_AFTER_SAMPLES;
  }

  /** The CPU time of a collection does not count as activity. */
  collected(cpuMs: number): void {
    this.#lastCpuMs = cpuMs;
  }
}

/** To be called every 5 s. `free`: lets go of what only a busy time needs. */
export function collectWhenIdle(detector: IdleDetector, free = () => {}): void {
  if (!detector.sample(cpuMs())) return;
  free();
  collectGarbage();
  detector.collected(cpuMs());
}

function cpuMs(): number {
  return process.cpuUsage().user / 1000;
}
