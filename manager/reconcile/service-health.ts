/** Health probes of services. */

import type { ProbeRequest, ProbeResponse } from "../../core/api/control-api.ts";
import type { HealthCheck } from "../../core/config/model/config-model.ts";
import { FAILURE_HEADER, isOwnFailure } from "../../core/routing/own-failure.ts";
import { httpOrigin } from "../../core/session/session-document.ts";
import { formatText, type Text, text } from "../../core/text.ts";
import { readBeginning } from "../../node/http.ts";
import { networkReason } from "../model/network-reason.ts";
import type { Health } from "../model/snapshot.ts";

const TIMEOUT_MS = 3_000;

export interface HealthResult {
  health: Health;
  /** Milliseconds; undefined when nothing answered. */
  latencyMs: number | undefined;
  /** Why it is unhealthy, in English. */
  reason: string | undefined;
  /** The same for a translation. */
  reasonText?: Text;
}

/** Sends the request of a probe. May reject. */
export type SendProbe = (probe: ProbeRequest) => Promise<ProbeResponse>;

/**
 * Asks the health path of a service at this location. Never rejects. `patienceMs`: the caller does not wait longer,
 * and a service that needs longer is neither healthy nor unhealthy for that.
 */
async function probe(
  { location, check }: ServiceCopy,
  ask: SendProbe,
  patienceMs = TIMEOUT_MS,
): Promise<HealthResult> {
  const timeoutMs = Math.min(patienceMs, TIMEOUT_MS);
  const url = `${httpOrigin(location)}${check.path ?? "/"}`;
  // Encoded, as a request line needs it.
  const { pathname, search } = new URL(url);
  const path = pathname + search;
  const started = performance.now();
  const answer = await ask({ location, path, timeout_ms: timeoutMs }).catch(asFailure);
  if ("error" in answer) {
    const { message, code, timed_out } = answer.error;
    if (timed_out && timeoutMs < TIMEOUT_MS)
      return {
        health: "unknown",
        latencyMs: undefined,
        ...because(text("{0} did not answer within {1} ms", url, patienceMs)),
      };
    const error = Object.assign(new Error(message), { code, name: timed_out ? "TimeoutError" : "Error" });
    return {
      health: "unhealthy",
      latencyMs: undefined,
      ...because(text("{0}: {1}", url, networkReason(error))),
    };
  }
  const { status, own_failure } = answer;
  const latencyMs = Math.round(performance.now() - started);
  if (own_failure)
    return {
      health: "unhealthy",
      latencyMs,
      ...because(text("{0} leads back to Linkup, which answered {1} in the service's place", url, status)),
    };
  const healthy = check.statuses ? check.statuses.includes(status) : status < 500;
  if (healthy) return { health: "healthy", latencyMs, reason: undefined };
  const why = check.statuses
    ? text("{0} answered {1}, expected {2}", url, status, check.statuses.join(", "))
    : text("{0} answered {1}, expected below 500", url, status);
  return { health: "unhealthy", latencyMs, ...because(why) };
}

function because(reasonText: Text): Pick<HealthResult, "reason" | "reasonText"> {
  return { reason: formatText(reasonText), reasonText };
}

/** Where no local server runs: only previews do, whose services are all remote. */
export const askDirectly: SendProbe = async ({ location, path, timeout_ms }) => {
  const headers = { "user-agent": "linkup-health" };
  const response = await readBeginning(`${httpOrigin(location)}${path}`, { timeoutMs: timeout_ms, headers });
  const { status, headers: fields, text } = response;
  return { status, own_failure: isOwnFailure(status, fields[FAILURE_HEADER]?.toString(), text) };
};

function asFailure(error: NodeJS.ErrnoException): ProbeResponse {
  const timed_out = error.name === "AbortError" || error.name === "TimeoutError";
  return { error: { message: error.message, code: error.code, timed_out } };
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
  async refresh(all: readonly ServiceCopy[], ask: SendProbe, patienceMs?: number): Promise<void> {
    const wanted = new Map(all.map((probed) => [keyOf(probed), probed]));
    for (const key of this.#results.keys()) if (!wanted.has(key)) this.#results.delete(key);
    const queue = [...wanted];
    const work = async () => {
      for (let next = queue.pop(); next; next = queue.pop()) {
        const [key, probed] = next;
        const result = await probe(probed, ask, patienceMs);
        // A probe cut short does not overwrite an earlier result.
        if (result.health !== "unknown" || !this.#results.has(key)) this.#results.set(key, result);
      }
    };
    const parallel = patienceMs === undefined ? PARALLEL : PARALLEL_IMPATIENT;
    await Promise.all(Array.from({ length: Math.min(parallel, queue.length) }, work));
  }
}

function keyOf({ location, check }: ServiceCopy): string {
  return JSON.stringify([location, check.path, check.statuses]);
}
