/**
 * The bodies of the control API's request log. Secrets are replaced by `***` before anything leaves the process:
 * credentials and cookies in headers, tokens in queries.
 */

import type { Explanation } from "../routing/explain-request.ts";
import type { NameSource } from "../routing/identify-session.ts";
import type { Listener } from "../routing/request-decision.ts";

/** One request and its response. Times are in milliseconds; members are null until their value is known. */
export interface Exchange {
  /** Counts up from 1 since the local server started. */
  id: number;
  /** When the request's head was complete, since the epoch. */
  time: number;
  /** `edge`: only the Worker had it. */
  listener: Listener | "edge";
  /** As the client spoke it; what Cloudflare says of it for `edge`, or an empty text. */
  protocol: string;
  /** It came over TLS. */
  secure: boolean;
  method: string;
  host: string;
  /** The host that the client used: behind a tunnel that of `x-forwarded-host`, not `host`. */
  client_host: string;
  /** Path and query. */
  target: string;
  session: string | null;
  /** The header that named the session. */
  session_by: NameSource | null;
  service: string | null;
  /** The override that its request matches. */
  override?: string | null;
  /**
   * Where it was sent: to this machine, elsewhere, or to the public origin of its host, unless it is known where the Worker
   * there sent it; null when it was refused.
   */
  at: "local" | "remote" | "public" | null;
  /** The URL requested from the service. */
  url: string | null;
  /** Why it went to another copy than its service's target names, as in the header `linkup-fallback`. */
  fallback?: string;
  /** `open` until the response is complete or aborted; for a WebSocket, until it is closed. */
  state: "open" | "complete" | "broken";
  status: number | null;
  /** The code of the local server's own error response, as in the header `linkup-error`. */
  failure: string | null;
  /** Which side aborted it, or could not be reached, and how. The side is null where only the Worker had it: it cannot tell. */
  broken: { by: "client" | "service" | null; reason: string } | null;
  /** Bytes of the bodies, or of a WebSocket's frames. */
  request_bytes: number;
  response_bytes: number;
  timings: Timings;
  /** Null for anything but a WebSocket. */
  websocket: {
    /** Frames, control frames included. */
    client_frames: number;
    service_frames: number;
    /** The close codes of each side (1000, 4001…). */
    client_close: number | null;
    service_close: number | null;
  } | null;
  /** Server-sent events so far; null for anything else, and where the response is compressed or only the Worker had it. */
  events: number | null;
  /** The likely sender; only for requests without a session. */
  sender: string | null;
  /** The session whose trace a request without a session carries: some service did not pass the session on. */
  lost_from: string | null;
  /** Trace id of the request as it was sent on; null where it is unknown: Linkup's own are noted while the log is followed. */
  trace: string | null;
  /** The span id beside it, as the request was sent on. */
  span: string | null;
  /** The request came without a trace: Linkup's first hop began it, and `span` is that hop's own. */
  trace_began: boolean;
  /** The id of the request that it repeats: sent by a replay or a comparison, not by a client. */
  replay_of: number | null;
  /** The hop at the Worker, before this machine's or after it, where somebody followed the log while it passed there. */
  edge: EdgeHop | null;
}

/** What the Worker did with an exchange. */
export interface EdgeHop {
  /** This machine sent it to the Worker. False where it came from there, or only the Worker had it. */
  after: boolean;
  /** By this machine's clock, corrected by the round trip. Since the epoch. */
  time: number;
  /** The header that named the session there. */
  session_by: NameSource | null;
  /** From the request until the head of the response. */
  first_byte: number;
  /** Until the end of the response; null while it lasts, and where it is not measured: of what came through the tunnel. */
  total: number | null;
  status: number;
  failure: string | null;
  /** The URL requested: the tunnel's, or the service's. */
  url: string | null;
  /** The request came there without a trace. */
  trace_began: boolean;
}

export interface Timings {
  /** From the request until the connection that carried it was requested: more than 0 when an earlier one was closed. */
  queue: number;
  /** From there until it was open; null for a reused connection, and when none was needed. */
  connect: number | null;
  /** From the request until the head of the response. */
  first_byte: number | null;
  /** From the request until the end of the exchange. */
  total: number | null;
}

/** The response of `GET /v1/requests/:id`: with the explanation, headers and bodies. */
export interface ExchangeDetails extends Exchange {
  /** As for `POST /v1/explain`, with the candidates up to the known session. */
  explanation: Explanation;
  /** The places where a session's name was looked for, and their values. */
  looked_at: { source: NameSource; value: string | null }[];
  /** Names and values, as received; of the first hop if there were two. */
  request_headers: [string, string][];
  /** As the service got them. */
  sent_headers: [string, string][] | null;
  /** As the service sent them. */
  service_headers: [string, string][] | null;
  /** As sent to the client; by the first hop if there were two. */
  response_headers: [string, string][] | null;
  /** Only for exchanges that began while bodies were recorded. */
  request_body: CapturedBody | null;
  response_body: CapturedBody | null;
}

/** The beginning of a body. */
export interface CapturedBody {
  /** The text if it is UTF-8, else base64. */
  text?: string;
  base64?: string;
  /** The body is longer. */
  cut: boolean;
}

/** The body of `POST /v1/requests/:id/replay`. */
export interface ReplayRequest {
  /** The location (URL) of another copy of the service; null: where the session routes the request now. */
  location: string | null;
  /** Secrets are sent as they were although it goes elsewhere than before. */
  secrets: boolean;
  /** Instead of the request as it was. Values with `***` that were not changed stand for what they were. */
  edited?: {
    method: string;
    /** Path and query. */
    target: string;
    headers: [string, string][];
    body: string | null;
  };
}

/** The response to a request that was sent again, secrets replaced by `***`. */
export interface ReplayResponse {
  /** Where it was sent. */
  url: string;
  status: number;
  headers: [string, string][];
  /** Up to 1 MB. */
  body: CapturedBody | null;
  ms: number;
  /** The request's headers that were left out: secrets that this place had not got before. */
  withheld: string[];
}

/** Methods that are to change nothing (RFC 9110, 9.2.1): others are sent again only where the user agrees. */
export function changesNothing(method: string): boolean {
  return ["GET", "HEAD", "OPTIONS", "TRACE"].includes(method.toUpperCase());
}

/** Filter for exchanges, as members of a query; an exchange must match all of them. */
export interface ExchangeFilter {
  /** Only exchanges with a greater id. */
  after?: number | undefined;
  /** Only exchanges with a smaller id. */
  before?: number | undefined;
  /** Maximum number of exchanges, the newest; default 100. */
  limit?: number | undefined;
  session?: string | undefined;
  service?: string | undefined;
  status?: number | undefined;
  /** Status 400 and above, and aborted exchanges. */
  failed?: boolean | undefined;
  method?: string | undefined;
  /** Part of host, path and query. */
  path?: string | undefined;
}

/**
 * A line of `GET /v1/requests/follow`: an exchange that began, became a WebSocket, ended, or that the Worker reported; the
 * number of lines that a slow reader missed; the number of exchanges that the Worker left out, because there were too many;
 * or whether a session is watched at the Worker.
 */
export type FollowedExchange = Exchange | { missed: number } | { dropped: number } | { watch: EdgeStatus };

export interface EdgeStatus {
  session: string;
  state: EdgeState;
}

/** `unsupported`: the Worker is of an older version. `gone`: it does not have the session any more. */
export type EdgeState = "connecting" | "watching" | "disconnected" | "gone" | "unsupported";

/** `PUT` accepts some of the members; the others keep their values. */
export interface RequestLogSettings {
  /** Whether exchanges that begin from now on are recorded. Initially true. */
  recording: boolean;
  /** Bytes recorded of each body from now on; 0, the default, records none. At most 65,536. */
  body_bytes: number;
}

export function isFailed({ status, state }: Pick<Exchange, "status" | "state">): boolean {
  return state === "broken" || (status !== null && status >= 400);
}
