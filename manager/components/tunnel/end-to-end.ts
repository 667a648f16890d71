/** Do requests come through the tunnel? cloudflared may say that it is ready for minutes after packets got lost. */
import { HOPS_HEADER, MAX_HOPS } from "../../../core/routing/proxy-headers.ts";
import { readStatus } from "../../../node/http.ts";

const TIMEOUT_MS = 4_000;

export interface Way {
  workerUrl: string;
  session: string;
  domain: string;
  /** One that runs on this machine. */
  service: string;
  /** A Worker of the original does not count the hops. */
  countsHops: boolean;
}

export type Passage = "through" | "lost" | "unknown";

/**
 * Sends a request from the Worker through the tunnel. It says that it has gone round too often already,
 * so that the local server answers it itself and no service sees it.
 */
export async function probeThrough({
  workerUrl,
  session,
  domain,
  service,
  countsHops,
}: Way): Promise<Passage> {
  const headers = {
    "x-forwarded-host": `${session}.${domain}`,
    tracestate: `linkup-session=${session}`,
    "linkup-destination": service,
    [HOPS_HEADER]: String(countsHops ? MAX_HOPS - 1 : MAX_HOPS),
  };
  try {
    return passageOf(await readStatus(workerUrl, { headers, timeoutMs: TIMEOUT_MS }));
  } catch (error) {
    // No answer in time is what lost packets look like; a Worker that cannot be reached says nothing of the tunnel.
    return (error as Error).name === "AbortError" ? "lost" : "unknown";
  }
}

/** 508 is the local server's; 502, 504 and 52x, 530 are told of a tunnel that nobody serves. */
export function passageOf(status: number): Passage {
  if (status === 508) return "through";
  return status === 502 || status === 504 || status >= 520 ? "lost" : "unknown";
}
