/** When a cloudflared that runs is left alone, and when it is replaced. Pure. */
import type { Connector } from "../../model/connector.ts";

/** QUIC that has not connected by then is blocked. */
const QUIC_MS = 20_000;
/** What has not connected by then does not. */
const START_MS = 45_000;
/** By itself it takes up to 8 s to connect again; a new one takes 0.2 s. */
const RECONNECT_MS = 9_000;
/** After a change of the network it is not waited for as long: it may be waiting itself. */
const CHANGED_MS = 5_000;

/** How often a request is sent through; one that got lost is repeated at once. */
const PROBE_MS = 30_000;
const LOST = 2;

export function isProbeDue({ probed_at, lost }: Connector, now: number): boolean {
  return lost > 0 || now - probed_at > PROBE_MS;
}

export type Verdict =
  | { do: "nothing" }
  /** Replace it at once: that is no failure. */
  | { do: "replace"; protocol: Connector["protocol"]; why: string }
  /** End it, and try again as the rules of supervision say. */
  | { do: "fail"; why: string };

/** What to do with a cloudflared that runs and is or is not ready. */
export function judge(connector: Connector, ready: boolean, now: number): Verdict {
  if (ready && connector.lost >= LOST)
    return { do: "fail", why: "It says that it is connected, and requests get lost" };
  if (ready) return { do: "nothing" };
  const { changed_at, started, unready_since } = connector;
  if (changed_at > started && now - Math.max(changed_at, unready_since) > CHANGED_MS)
    return { do: "fail", why: "It did not connect again after the network had changed" };
  const unready = now - unready_since;
  if (connector.was_ready) {
    return unready > RECONNECT_MS
      ? { do: "fail", why: "It lost its connections to Cloudflare" }
      : { do: "nothing" };
  }
  if (now - started > START_MS) return { do: "fail", why: "It did not connect to Cloudflare" };
  if (connector.protocol === "auto" && now - started > QUIC_MS)
    return { do: "replace", protocol: "http2", why: "QUIC does not get through: trying HTTP/2" };
  return { do: "nothing" };
}
