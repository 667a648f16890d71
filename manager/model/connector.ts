/** The recorded state of a session's cloudflared. */
import { notStarted, type Supervised } from "./supervision.ts";

export interface Connector extends Supervised {
  /** Fingerprint of the tunnel and the port that it serves. */
  serves: string | null;
  /** `http2` after QUIC failed; `given` when TUNNEL_TRANSPORT_PROTOCOL fixes the protocol. */
  protocol: "auto" | "http2" | "given";
  /** Offset of this process's first line in the log file. */
  log_offset: number;
  /** Port of its `/ready` endpoint; null until it appears in the log. */
  metrics_port: number | null;
  ready: boolean;
  /** Start of the current not-ready period. Milliseconds since the epoch. */
  unready_since: number;
  /** True when it has been ready since it was started. */
  was_ready: boolean;
  /** When the network last changed, or the machine slept. */
  changed_at: number;
  /** True when a request from outside has come through this tunnel. */
  reached: boolean;
  /** How often in a row Cloudflare refused it, and the id of the tunnel that it refused last. */
  refusals: number;
  refused: string | null;
  /** Time of the last end-to-end probe, and the number of probes lost in a row. */
  probed_at: number;
  lost: number;
}

export function newConnector(): Connector {
  return {
    ...notStarted(),
    serves: null,
    protocol: "auto",
    log_offset: 0,
    metrics_port: null,
    ready: false,
    unready_since: 0,
    was_ready: false,
    changed_at: 0,
    reached: false,
    refusals: 0,
    refused: null,
    probed_at: 0,
    lost: 0,
  };
}
