/** After a deployment: DNS records, certificates and routes take their time to be everywhere. */
import { setTimeout as delay } from "node:timers/promises";
import type { OutsideCheck } from "./outside.ts";

export interface WaitOptions {
  timeoutMs: number;
  intervalMs?: number;
  signal?: AbortSignal | undefined;
  /** Called with the first check that fails, each time it is another one. */
  onMissing(check: OutsideCheck): void;
}

const INTERVAL_MS = 5_000;

/** Resolves with the checks that still fail when the time is over or the signal says so; with none when all is live. */
export async function waitUntilLive(
  look: () => Promise<readonly OutsideCheck[]>,
  { timeoutMs, intervalMs = INTERVAL_MS, signal, onMissing }: WaitOptions,
): Promise<OutsideCheck[]> {
  const until = performance.now() + timeoutMs;
  let told: string | undefined;
  for (;;) {
    const failing = (await look()).filter(({ ok }) => !ok);
    const [first] = failing;
    if (!first || performance.now() >= until || signal?.aborted) return failing;
    if (first.name !== told) onMissing(first);
    told = first.name;
    await delay(intervalMs, undefined, signal ? { signal } : {}).catch(() => {});
  }
}
