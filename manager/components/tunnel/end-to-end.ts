/** An end-to-end probe of the tunnel: cloudflared may report ready for minutes after its packets are lost. */
import { destinationOf } from "../../../core/routing/destination.ts";
import { HOPS_HEADER, MAX_HOPS } from "../../../core/routing/proxy-headers.ts";
import {
  PROBE_HEADER,
  PROBE_PROOF_HEADER,
  probeHeader,
  probeMessage,
} from "../../../core/routing/tunnel-probe.ts";
import { readBeginning } from "../../../node/http.ts";

const TIMEOUT_MS = 4_000;

export interface ProbeTarget {
  workerUrl: string;
  session: string;
  /** The key of the local server's proof. */
  sessionToken: string;
  domain: string;
  /** A service that runs on this machine. */
  service: string;
  /** False for an original Worker, which does not count hops. */
  countsHops: boolean;
}

export type ProbeResult = "through" | "lost" | "unknown";

/**
 * Sends a request to the Worker and through the tunnel, with hops = MAX so that the local server itself answers 508
 * and no service sees it.
 */
export async function probeTunnel({
  workerUrl,
  session,
  sessionToken,
  domain,
  service,
  countsHops,
}: ProbeTarget): Promise<ProbeResult> {
  // Loaded lazily: most commands send no probe.
  const { createHmac, randomBytes } = process.getBuiltinModule("node:crypto");
  const probe = probeHeader(session, randomBytes(16).toString("hex"));
  const headers = {
    "x-forwarded-host": `${session}.${domain}`,
    tracestate: `linkup-session=${session}`,
    "linkup-destination": destinationOf(service),
    [HOPS_HEADER]: String(countsHops ? MAX_HOPS - 1 : MAX_HOPS),
    [PROBE_HEADER]: probe,
  };
  try {
    const answer = await readBeginning(workerUrl, { headers, timeoutMs: TIMEOUT_MS });
    const proof = createHmac("sha256", sessionToken).update(probeMessage(probe)).digest("hex");
    return probeResultOf(answer.status, answer.headers[PROBE_PROOF_HEADER] === proof);
  } catch (error) {
    // A timeout means lost packets; an unreachable Worker says nothing about the tunnel.
    return (error as Error).name === "AbortError" ? "lost" : "unknown";
  }
}

/**
 * A proven 508 comes from the local server; 502, 504, 52x and 530 from an edge without a tunnel. Any other 508 is a hop
 * before the tunnel that found a loop.
 */
export function probeResultOf(status: number, isProven: boolean): ProbeResult {
  if (status === 508) return isProven ? "through" : "unknown";
  return status === 502 || status === 504 || status >= 520 ? "lost" : "unknown";
}
