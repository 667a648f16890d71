/** Decides whether a running cloudflared is kept, replaced or failed. Pure. */
import { type Text, text } from "../../../core/text.ts";
import type { Connector } from "../../model/connector.ts";

/** After this time without a connection QUIC counts as blocked. */
const QUIC_MS = 20_000;
/** After this time without a connection the start has failed. */
const START_MS = 45_000;
/** cloudflared takes up to 8 s to reconnect by itself; a new process takes 0.2 s. */
const RECONNECT_MS = 9_000;
/** Shorter after a network change: cloudflared may be in its own backoff. */
const CHANGED_MS = 5_000;

/** Interval of end-to-end probes; a lost one is repeated at once. */
const PROBE_MS = 30_000;
const MAX_LOST_PROBES = 2;

export function isProbeDue({ probed_at, lost, reached }: Connector, now: number): boolean {
  return !reached || lost > 0 || now - probed_at > PROBE_MS;
}

export type ConnectorAction =
  | { do: "nothing" }
  /** Replace it at once; this does not count as a failure. */
  | { do: "replace"; protocol: Connector["protocol"]; why: string }
  /** End it, and restart with backoff. */
  | { do: "fail"; why: Text };

/** The next action for a running cloudflared. */
export function nextAction(connector: Connector, ready: boolean, now: number): ConnectorAction {
  // Before the first success the tunnel's host name may not be known everywhere yet: another process changes nothing.
  if (ready && connector.reached && connector.lost >= MAX_LOST_PROBES)
    return { do: "fail", why: text("It reports connected, but requests are lost") };
  if (ready) return { do: "nothing" };
  const { changed_at, started, unready_since } = connector;
  if (changed_at > started && now - Math.max(changed_at, unready_since) > CHANGED_MS)
    return { do: "fail", why: text("It did not reconnect after the network changed") };
  const unready = now - unready_since;
  if (connector.was_ready) {
    return unready > RECONNECT_MS
      ? { do: "fail", why: text("It lost its connections to Cloudflare") }
      : { do: "nothing" };
  }
  if (now - started > START_MS) return { do: "fail", why: text("It did not connect to Cloudflare") };
  if (connector.protocol === "auto" && now - started > QUIC_MS)
    return { do: "replace", protocol: "http2", why: "QUIC does not get through: trying HTTP/2" };
  return { do: "nothing" };
}
