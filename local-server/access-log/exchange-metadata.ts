/** Fixed-size metadata of an exchange; its text lives in the ring. */
import type { Listener } from "../../core/routing/request-decision.ts";
import type { Service } from "../../core/session/session-document.ts";
import type { Client } from "../downstream/client.ts";
import type { EventCounter } from "../http/event-counter.ts";
import type { Fields } from "../http/fields.ts";
import type { Served } from "../served-sessions.ts";
import type { BodyCapture, RecordedBody } from "./body-capture.ts";

/** The fields that every exchange fills, so each is a plain store. What few exchanges have is in `rare`. */
export class ExchangeMetadata {
  id = 0;
  listener: Listener = "browser";
  protocol: Client["protocol"] = "HTTP/1.1";
  secure = false;
  /** Milliseconds since the epoch. */
  time = 0;
  /** These three in ms of the monotonic clock; 0: not yet. */
  started = 0;
  responded = 0;
  ended = 0;
  served: Served | undefined;
  service: Service | undefined;
  status = 0;
  requestBytes = 0;
  responseBytes = 0;
  rare: RareFields | undefined;

  copy(from: ExchangeMetadata): void {
    this.id = from.id;
    this.listener = from.listener;
    this.protocol = from.protocol;
    this.secure = from.secure;
    this.time = from.time;
    this.started = from.started;
    this.responded = from.responded;
    this.ended = from.ended;
    this.served = from.served;
    this.service = from.service;
    this.status = from.status;
    this.requestBytes = from.requestBytes;
    this.responseBytes = from.responseBytes;
    this.rare = from.rare;
  }
}

/** Fields that most exchanges do not have. */
export class RareFields {
  /** When the connection that was used was requested, as `started`. 0: at the start. */
  acquired = 0;
  /** When it was ready. 0: at once, it was open already. */
  connected = 0;
  /** Why it went to another copy of its service than the one that was decided for. */
  fallback: string | undefined;
  /** The host whose public origin it was forwarded to. */
  publicHost: string | undefined;
  /** The exchange that it repeats, and the origin that it was sent to then. */
  replayOf: number | undefined;
  replayOrigin: string | undefined;
  /** The code of the proxy's own response, and its headers. */
  failure: string | undefined;
  ownHeaders: string[] | undefined;
  /** Which side aborted it, and how. */
  brokenBy: "client" | "service" | undefined;
  reason: string | undefined;
  /** WebSocket frames, and the codes that either side closed with. 0: none. */
  clientFrames = 0;
  serviceFrames = 0;
  clientClose = 0;
  serviceClose = 0;
  /** For a stream of server-sent events. */
  events: EventCounter | undefined;
  /** While the log is followed: the request's trace and span id as it was sent on, and the Worker's id of the first hop. */
  trace: string | null = null;
  span: string | null = null;
  hop: string | undefined;
  /** The id that the request carries on, and the host that it is sent to, where the Worker may be. */
  nextHop: { id: string; host: string } | undefined;
  /** The beginnings of both bodies, when bodies are captured. */
  bodies: { request: BodyCapture; response: BodyCapture } | undefined;
}

/** For an exchange without rare fields. */
export const NO_RARE_FIELDS: Readonly<RareFields> = new RareFields();

/** An exchange as it is read from the log. */
export interface RecordedExchange {
  metadata: ExchangeMetadata;
  method: string;
  host: string;
  target: string;
  requestHeaders: Fields;
  /** Name, value, name, value…: the service's, or those of the proxy's own response. Undefined before the response. */
  responseHeaders: readonly string[] | undefined;
  requestBody: RecordedBody | undefined;
  responseBody: RecordedBody | undefined;
}
