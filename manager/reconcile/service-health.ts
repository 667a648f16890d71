/** Health probes of services. */

import type { HealthCheck } from "../../core/config/model/config-model.ts";
import { httpOrigin } from "../../core/session/session-document.ts";
import { formatText } from "../../core/text.ts";
import { readStatus } from "../../node/http.ts";
import { networkReason } from "../model/network-reason.ts";
import type { Health } from "../model/snapshot.ts";

const TIMEOUT_MS = 3_000;

export interface HealthResult {
  health: Health;
  /** Milliseconds; undefined when nothing answered. */
  latencyMs: number | undefined;
  /** Why it is unhealthy. */
  reason: string | undefined;
}

/**
 * Asks the health path of a service at this location. Never rejects. `patienceMs`: whoever asks does not wait longer,
 * and a service that needs longer is neither healthy nor unhealthy for that.
 */
export async function probe(
  location: string,
  check: HealthCheck,
  patienceMs = TIMEOUT_MS,
): Promise<HealthResult> {
  const timeoutMs = Math.min(patienceMs, TIMEOUT_MS);
  const url = `${httpOrigin(location)}${check.path ?? "/"}`;
  const started = performance.now();
  try {
    const status = await readStatus(url, { timeoutMs, headers: { "user-agent": "linkup-health" } });
    const latencyMs = Math.round(performance.now() - started);
    const healthy = check.statuses ? check.statuses.includes(status) : status < 500;
    const wanted = check.statuses ? check.statuses.join(", ") : "below 500";
    return healthy
      ? { health: "healthy", latencyMs, reason: undefined }
      : { health: "unhealthy", latencyMs, reason: `${url} answered ${status}, wanted: ${wanted}` };
  } catch (error) {
    if (timeoutMs < TIMEOUT_MS && (error as Error).name === "AbortError")
      return {
        health: "unknown",
        latencyMs: undefined,
        reason: `${url} did not answer within ${patienceMs} ms`,
      };
    return {
      health: "unhealthy",
      latencyMs: undefined,
      reason: `${url}: ${formatText(networkReason(error as Error))}`,
    };
  }
}

/** A copy of a service to be asked. */
export interface ServiceCopy {
  location: string;
  check: HealthCheck;
}

/** Probes in flight at once. */
const PARALLEL = 16;
/** The same for short timeouts. */
const PARALLEL_IMPATIENT = 64;

/** The last known health of each probed copy. */
export class HealthBook {
  readonly #results = new Map<string, HealthResult>();

  of(probed: ServiceCopy): HealthResult {
    return this.#results.get(keyOf(probed)) ?? { health: "unknown", latencyMs: undefined, reason: undefined };
  }

  /** False also after a probe that was cut short. */
  knows(probed: ServiceCopy): boolean {
    return this.of(probed).health !== "unknown";
  }

  /** Probes all of them once and drops the other results. */
  async refresh(all: readonly ServiceCopy[], patienceMs?: number): Promise<void> {
    const wanted = new Map(all.map((probed) => [keyOf(probed), probed]));
    for (const key of this.#results.keys()) if (!wanted.has(key)) this.#results.delete(key);
    const queue = [...wanted];
    const ask = async () => {
      for (let next = queue.pop(); next; next = queue.pop()) {
        const [key, { location, check }] = next;
        const result = await probe(location, check, patienceMs);
        // A probe cut short does not overwrite an earlier result.
        if (result.health !== "unknown" || !this.#results.has(key)) this.#results.set(key, result);
      }
    };
    const parallel = patienceMs === undefined ? PARALLEL : PARALLEL_IMPATIENT;
    await Promise.all(Array.from({ length: Math.min(parallel, queue.length) }, ask));
  }
}

function keyOf({ location, check }: ServiceCopy): string {
  return JSON.stringify([location, check.path, check.statuses]);
}
