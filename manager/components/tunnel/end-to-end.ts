/** An end-to-end probe of the tunnel: cloudflared may report ready for minutes after its packets are lost. */
import { HOPS_HEADER, MAX_HOPS } from "../../../core/routing/proxy-headers.ts";
import { readStatus } from "../../../node/http.ts";

const TIMEOUT_MS = 4_000;

export interface ProbeTarget {
  workerUrl: string;
  session: string;
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
  domain,
  service,
  countsHops,
}: ProbeTarget): Promise<ProbeResult> {
  const headers = {
    "x-forwarded-host": `${session}.${domain}`,
    tracestate: `linkup-session=${session}`,
    "linkup-destination": service,
    [HOPS_HEADER]: String(countsHops ? MAX_HOPS - 1 : MAX_HOPS),
  };
  try {
    return probeResultOf(await readStatus(workerUrl, { headers, timeoutMs: TIMEOUT_MS }));
  } catch (error) {
    // A timeout means lost packets; an unreachable Worker says nothing about the tunnel.
    return (error as Error).name === "AbortError" ? "lost" : "unknown";
  }
}

/** 508 comes from the local server; 502, 504, 52x and 530 from an edge without a tunnel. */
export function probeResultOf(status: number): ProbeResult {
  if (status === 508) return "through";
  return status === 502 || status === 504 || status >= 520 ? "lost" : "unknown";
}
