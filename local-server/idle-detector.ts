/**
 * Returns the memory of a busy time. V8 collects when something is allocated: after a page with thousands of requests an
 * idle process would keep for ever what they left behind.
 */
import { collectGarbage, collectYoungGarbage } from "../node/v8.ts";

/** CPU ms per sample below which the process counts as idle: 5 % of the 5 s between two samples. */
const IDLE_CPU_MS = 250;
/**
 * Idle samples in a row before a collection: a minute. A collection takes 40 to 80 ms, and makes V8 forget what it has learned
 * about the code: a page loaded right after it costs up to twice the CPU.
 */
export const COLLECT_AFTER_SAMPLES = 12;
/**
 * Afterwards, every two minutes: what was allocated since, in a millisecond or two. The nursery is larger than all that an idle
 * process allocates in an hour, and each piece of it that was used once is kept.
 */
export const COLLECT_YOUNG_EVERY_SAMPLES = 24;

/** Pure: counts how long the process has been idle. */
export class IdleDetector {
  #lastCpuMs = 0;
  #idleSamples = 0;

  /** `cpuMs`: CPU time since the process started. What it is time to collect. */
  sample(cpuMs: number): "all" | "young" | undefined {
    this.#idleSamples = cpuMs - this.#lastCpuMs < IDLE_CPU_MS ? this.#idleSamples + 1 : 0;
    this.#lastCpuMs = cpuMs;
    const since = this.#idleSamples - COLLECT_AFTER_SAMPLES;
    if (since === 0) return "all";
    return since > 0 && since % COLLECT_YOUNG_EVERY_SAMPLES === 0 ? "young" : undefined;
  }

  /** The CPU time of a collection does not count as activity. */
  collected(cpuMs: number): void {
    this.#lastCpuMs = cpuMs;
  }
}

/** To be called every 5 s. `free`: lets go of what only a busy time needs. */
export function collectWhenIdle(detector: IdleDetector, free = () => {}): void {
  const due = detector.sample(cpuMs());
  if (due === "all") {
    free();
    collectGarbage();
    detector.collected(cpuMs());
  } else if (due === "young") collectYoungGarbage();
}

function cpuMs(): number {
  return process.cpuUsage().user / 1000;
}
