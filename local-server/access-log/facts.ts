/** What is remembered of an exchange besides the words of its heads: numbers, and who was asked. */

import type { Exchange } from "../../core/api/request-log-api.ts";
import type { Listener } from "../../core/routing/request-decision.ts";
import type { Service } from "../../core/session/session-document.ts";
import type { Fields } from "../http/fields.ts";
import type { Served } from "../sessions.ts";
import type { BodyPiece } from "./body-piece.ts";

export type Protocol = Exchange["protocol"];

/** Every exchange fills these fields on its way, so each is a plain store, and what is rare is apart. */
export class Facts {
  id = 0;
  listener: Listener = "browser";
  protocol: Protocol = "HTTP/1.1";
  secure = false;
  /** Milliseconds since the epoch. */
  time = 0;
  /** These three: milliseconds of the monotonic clock; 0 when it has not come so far. */
  started = 0;
  answered = 0;
  ended = 0;
  served: Served | undefined;
  service: Service | undefined;
  status = 0;
  requestBytes = 0;
  responseBytes = 0;
  rare: Rare | undefined;

  copy(from: Facts): void {
    this.id = from.id;
    this.listener = from.listener;
    this.protocol = from.protocol;
    this.secure = from.secure;
    this.time = from.time;
    this.started = from.started;
    this.answered = from.answered;
    this.ended = from.ended;
    this.served = from.served;
    this.service = from.service;
    this.status = from.status;
    this.requestBytes = from.requestBytes;
    this.responseBytes = from.responseBytes;
    this.rare = from.rare;
  }
}

/** What most exchanges have nothing of. */
export class Rare {
  /** When the connection that was used was asked for, as `started`. 0: at once. */
  asked = 0;
  /** When it was there. 0: at once, it was open already. */
  connected = 0;
  /** Where at the edge it was passed on to. */
  publicHost: string | undefined;
  /** The code of the answer that the proxy gave itself, and its headers. */
  failure: string | undefined;
  ownHeaders: string[] | undefined;
  /** Who broke it off, and how. */
  brokenBy: "client" | "service" | undefined;
  reason: string | undefined;
  /** WebSocket frames, and the codes that either side closed with. 0: none. */
  clientFrames = 0;
  serviceFrames = 0;
  clientClose = 0;
  serviceClose = 0;
  /** Of both bodies, when they are kept. */
  pieces: { request: BodyPiece; response: BodyPiece } | undefined;
}

/** Of an exchange that has nothing rare. */
export const NOTHING_RARE: Readonly<Rare> = new Rare();

/** An exchange as it can be read: its facts with the heads and the pieces of bodies that were kept. */
export interface Recorded {
  facts: Facts;
  method: string;
  host: string;
  target: string;
  requestHeaders: Fields;
  /** Name, value, name, value…: as the service said them, or the proxy in its place. Undefined before there is an answer. */
  responseHeaders: readonly string[] | undefined;
  requestBody: KeptBody | undefined;
  responseBody: KeptBody | undefined;
}

export interface KeptBody {
  bytes: Buffer;
  /** It had more than these. */
  cut: boolean;
}
