/**
 * The request log of the local server, as its control API tells it. Secrets are replaced by `***` before anything leaves
 * the process: credentials and cookies in headers, tokens in queries.
 */

import type { Explanation } from "../routing/explain-request.ts";
import type { NameSource } from "../routing/identify-session.ts";
import type { Listener } from "../routing/request-decision.ts";

/** One request and its answer. Times in milliseconds; what has not come so far is null. */
export interface Exchange {
  /** Counts up from 1 since the local server started. */
  id: number;
  /** When the request's head had come, since the epoch. */
  time: number;
  listener: Listener;
  protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";
  /** It came over TLS. */
  secure: boolean;
  method: string;
  host: string;
  /** What the client asked for: behind a tunnel that is not the host, but stands in `x-forwarded-host`. */
  client_host: string;
  /** Path and query. */
  target: string;
  session: string | null;
  /** The header that named the session. */
  session_by: NameSource | null;
  service: string | null;
  /** Where it was sent: to this machine, elsewhere, or to the public origin of its host; null when it was refused. */
  at: "local" | "remote" | "public" | null;
  /** What was asked of the service. */
  url: string | null;
  /** `open` until the answer is complete or broken off; for a WebSocket, until it is closed. */
  state: "open" | "complete" | "broken";
  status: number | null;
  /** The code of the local server's own answer, as in the header `linkup-error`. */
  failure: string | null;
  /** Who broke it off, or could not be reached, and how. */
  broken: { by: "client" | "service"; reason: string } | null;
  /** Bytes of the bodies, or of a WebSocket's frames. */
  request_bytes: number;
  response_bytes: number;
  timings: Timings;
  /** Null where it is none. */
  websocket: {
    /** Frames, control frames included. */
    client_frames: number;
    service_frames: number;
    /** What each side closed with (1000, 4001…). */
    client_close: number | null;
    service_close: number | null;
  } | null;
  /** Who likely sent it; only of requests without a session. */
  sender: string | null;
}

export interface Timings {
  /** From the request until the connection that carried it was asked for: more than 0 when an earlier one was closed. */
  queue: number;
  /** From there until it was open; null for a kept connection, and where none was needed. */
  connect: number | null;
  /** From the request until the head of the answer. */
  first_byte: number | null;
  /** From the request until all was over. */
  total: number | null;
}

/** `GET /v1/requests/:id`'s answer: also why, and the words. */
export interface ExchangeDetails extends Exchange {
  /** As for `POST /v1/explain`, with the names that were asked up to the one that was known. */
  explanation: Explanation;
  /** Where a session's name was looked for, and what stood there. */
  looked_at: { source: NameSource; value: string | null }[];
  /** Name and value, as they came. */
  request_headers: [string, string][];
  /** As the client got them. */
  response_headers: [string, string][] | null;
  /** Only of exchanges that began while bodies were asked for. */
  request_body: CapturedBody | null;
  response_body: CapturedBody | null;
}

/** The beginning of a body. */
export interface CapturedBody {
  /** The text when it is some in UTF-8, else base64. */
  text?: string;
  base64?: string;
  /** There was more. */
  cut: boolean;
}

/** Which exchanges are meant: all that fit. As members of a query. */
export interface ExchangeFilter {
  /** Only later ones than this id. */
  after?: number | undefined;
  /** The newest so many; default 100. */
  limit?: number | undefined;
  session?: string | undefined;
  service?: string | undefined;
  status?: number | undefined;
  /** Status 400 and more, and what was broken off. */
  failed?: boolean | undefined;
  method?: string | undefined;
  /** Part of host, path and query. */
  path?: string | undefined;
}

/** A line of `GET /v1/requests/follow`: an exchange that began, became a WebSocket, or ended; or how many such lines a slow reader missed. */
export type FollowedExchange = Exchange | { missed: number };

/** `PUT` takes some of them; the others stay as they are. */
export interface RequestLogSettings {
  /** False: what begins from now on is not remembered. True at the start. */
  recording: boolean;
  /** Bytes kept of each body from now on; 0, the default, keeps none. At most 65,536. */
  body_bytes: number;
}

export function isFailed({ status, state }: Pick<Exchange, "status" | "state">): boolean {
  return state === "broken" || (status !== null && status >= 400);
}
