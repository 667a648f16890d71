/** When a cloudflared that runs is left alone, and when it is replaced. Pure. */
import type { ProcessId } from "../../../node/process-identity.ts";
import type { Supervised } from "../../model/supervision.ts";

export interface Connector extends Supervised {
  /** Fingerprint of the tunnel and the port that it serves. */
  serves: string | null;
  /** `http2` where QUIC did not get through; `given` where TUNNEL_TRANSPORT_PROTOCOL says which, and that stays. */
  protocol: "auto" | "http2" | "given";
  /** The process that writes its log; null while it does not run. */
  log_writer: ProcessId | null;
  /** Where its own lines begin in the log file. */
  log_offset: number;
  /** Where it answers `/ready`; null until it has said so. */
  metrics_port: number | null;
  ready: boolean;
  /** Since when it has not been ready. Milliseconds since the epoch. */
  unready_since: number;
  /** True when it has been ready since it was started. */
  was_ready: boolean;
  /** When the network last changed, or the machine slept. */
  changed_at: number;
  /** When a request was last sent through it, and how many got lost in a row. */
  probed_at: number;
  lost: number;
}

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
