/**
 * What the Worker tells those who watch a session. `GET /linkup/v2/sessions/:name/watch` opens a WebSocket; its text
 * messages are JSON: the watcher sends `{echo}`, the Worker answers `{echo, now}` and sends `EdgeReports`. The watcher also
 * sends `KnownTraces`: requests that came to the session's machine without the Worker. Secrets are
 * replaced by `***` in the Worker, and there are no bodies. Nothing is reported while nobody watches.
 */
import type { NameSource } from "../routing/identify-session.ts";

/** In `WorkerCapabilities.capabilities`. */
export const WATCH_CAPABILITY = "watch-requests";

/** Exchanges that one isolate of the Worker reports in a second; the others are counted. */
export const MAX_REPORTS_PER_SECOND = 300;

export interface EdgeReports {
  /** The headers of these reports, names and values, each once: most of one request are those of the one before. */
  lines: [string, string][];
  reports: SentEdgeReport[];
  /** Exchanges that were not reported, because there were too many. */
  dropped: number;
}

/** `EdgeReport`, its headers as places in `lines`. */
export type SentEdgeReport = Omit<EdgeReport, EdgeHeaders> & {
  [member in EdgeHeaders]: number[] | (null extends EdgeReport[member] ? null : never);
};

export type EdgeHeaders = "request_headers" | "sent_headers" | "service_headers" | "response_headers";

/** Trace ids of the session's requests: who loses the session in one of these is reported to it. */
export interface KnownTraces {
  /** At most `MAX_KNOWN_TRACES`. */
  traces: string[];
}

export const MAX_KNOWN_TRACES = 100;

/** The response to `{echo}`: the Worker's clock, in milliseconds since the epoch. */
export interface EdgeClock {
  echo: number;
  now: number;
}

/** One request that came to the Worker, and its response. Times are in milliseconds, of the Worker's clock. */
export interface EdgeReport {
  /** Also in the header `linkup-hop` of a request through the tunnel: both hops together are one exchange. */
  hop: string;
  /** That header of the request, where a local server sent it: again, both hops together are one exchange. */
  from_hop?: string | null | undefined;
  /** The request belongs to no session, but carries the trace of a request of this session. */
  lost: boolean;
  time: number;
  /** As Cloudflare names it: `HTTP/2`; null where that is unknown. */
  protocol: string | null;
  secure: boolean;
  method: string;
  host: string;
  target: string;
  /** The header that named the session. */
  session_by: NameSource | null;
  service: string | null;
  /** Through the tunnel to the laptop, or elsewhere; null when the Worker responded itself. */
  at: "local" | "remote" | null;
  /** The URL requested from the service. */
  url: string | null;
  status: number;
  /** The code of Linkup's own response, as in the header `linkup-error`. */
  failure: string | null;
  /** From the request until the head of the response. */
  first_byte: number;
  /**
   * From the request until the end of the response's body. Null while it lasts: then the exchange is reported once more at
   * its end, with the same `hop`. Absent where it is not measured: through the tunnel, and of short bodies.
   */
  total?: number | null | undefined;
  /** The client or the service aborted before the body was complete: the Workers runtime does not tell which. */
  aborted?: boolean | undefined;
  /** The `Content-Length` of either body; null when unknown. */
  request_bytes: number | null;
  response_bytes: number | null;
  /** Trace id of the request as it was sent on. */
  trace: string | null;
  /** The likely sender of a request without a session. */
  sender: string | null;
  /** Names and values: as the client sent them, as the service got them, as the service answered, as the client got them. */
  request_headers: [string, string][];
  sent_headers: [string, string][] | null;
  service_headers: [string, string][] | null;
  response_headers: [string, string][];
}
