/** An exchange under way. Who carries it tells what happens; nothing is made of that before somebody reads. */

import type { Listener } from "../../core/decide.ts";
import type { Client } from "../proxy/client.ts";
import type { Verdict } from "../proxy/decide.ts";
import type { Failure } from "../proxy/failures.ts";
import type { Traffic } from "../proxy/splice.ts";
import type { SentRequest } from "../upstream/connection.ts";
import type { ResponseHead } from "../upstream/response-parser.ts";
import { BodyPiece } from "./body-piece.ts";
import { Facts, Rare, type Recorded } from "./facts.ts";
import { FrameCounter } from "./frame-counter.ts";

/** What a log wants to hear of an exchange. */
export interface Listening {
  /** Where it goes is known, or it has become a WebSocket. */
  changed(exchange: Exchange): void;
  /** Nothing more will come: the exchange is let go. */
  ended(exchange: Exchange): void;
}

export class Exchange extends Facts {
  readonly client: Client;
  /** Among those under way. */
  place = 0;
  readonly #log: Listening;
  /** What the service is sent. Its text is there anyway, in one piece: to write down the client's own lines costs more. */
  request: SentRequest | undefined;
  /** What the service answered, or what the proxy did in its place. */
  response: ResponseHead | undefined;
  ownHeaders: string[] | undefined;
  readonly requestPiece: BodyPiece | undefined;
  readonly responsePiece: BodyPiece | undefined;

  /** `bodyBytes`: how much of each body is kept. */
  constructor(id: number, client: Client, listener: Listener, bodyBytes: number, log: Listening) {
    super();
    this.id = id;
    this.client = client;
    this.#log = log;
    this.listener = listener;
    this.protocol = client.protocol;
    this.secure = client.secure;
    this.time = Date.now();
    this.started = performance.now();
    this.requestPiece = bodyBytes === 0 ? undefined : new BodyPiece(bodyBytes);
    this.responsePiece = bodyBytes === 0 ? undefined : new BodyPiece(bodyBytes);
  }

  decided(verdict: Verdict | { failure: Failure }): void {
    if ("edgeHost" in verdict) this.#rarely().edgeHost = verdict.edgeHost;
    else {
      if ("served" in verdict) this.served = verdict.served;
      if (!("failure" in verdict)) this.service = verdict.decision.service;
    }
    this.#log.changed(this);
  }

  /** It is asked for a connection once more: the first one was no good. */
  repeated(): void {
    const rare = this.#rarely();
    rare.asked = performance.now();
    rare.connected = 0;
  }

  /** A connection had to be waited for, and is there. */
  wasConnected(): void {
    this.#rarely().connected = performance.now();
  }

  sent(chunk: Buffer): void {
    this.requestBytes += chunk.length;
    this.requestPiece?.take(chunk);
  }

  /** `status`: what the client is told. */
  respond(status: number, response: ResponseHead): void {
    this.status = status;
    this.response = response;
    this.answered = performance.now();
  }

  received(chunk: Buffer): void {
    this.responseBytes += chunk.length;
    this.responsePiece?.take(chunk);
  }

  /** The proxy answers in the service's place. `error`: what happened to the connection. */
  refused({ status, code }: Failure, headers: string[], error: Error | undefined): void {
    this.status = status;
    this.#rarely().failure = code;
    this.response = undefined;
    this.ownHeaders = headers;
    this.answered = performance.now();
    if (error) this.broken("service", error.message);
  }

  /** From here on bytes are carried, not HTTP. Returns who watches them. */
  switch(response: ResponseHead): Traffic {
    this.respond(101, response);
    this.#log.changed(this);
    const rare = this.#rarely();
    const frames = { client: new FrameCounter(), service: new FrameCounter() };
    const isWebSocket = this.client.upgrade?.toLowerCase() === "websocket";
    return {
      client: (chunk) => {
        this.requestBytes += chunk.length;
        if (!isWebSocket) return;
        frames.client.feed(chunk);
        rare.clientFrames = frames.client.frames;
        rare.clientClose = frames.client.closeCode;
      },
      service: (chunk) => {
        this.responseBytes += chunk.length;
        if (!isWebSocket) return;
        frames.service.feed(chunk);
        rare.serviceFrames = frames.service.frames;
        rare.serviceClose = frames.service.closeCode;
      },
      over: (by) => {
        if (isWebSocket && !frames.client.closed && !frames.service.closed)
          this.broken(by, "it left without a closing frame");
      },
    };
  }

  /** The first to break it off is to blame for what follows. What has ended cannot break any more. */
  broken(by: "client" | "service", reason: string): void {
    if (this.ended !== 0) return;
    const rare = this.#rarely();
    rare.brokenBy ??= by;
    rare.reason ??= reason;
  }

  end(): void {
    if (this.ended !== 0) return;
    this.ended = performance.now();
    this.#log.ended(this);
  }

  #rarely(): Rare {
    this.rare ??= new Rare();
    return this.rare;
  }

  /** As it is now. */
  read(): Recorded {
    const { method, host, target, fields } = this.client;
    return {
      facts: this,
      method,
      host,
      target,
      requestHeaders: fields,
      responseHeaders: this.ownHeaders ?? this.response?.fields.raw,
      requestBody: this.requestPiece?.read(),
      responseBody: this.responsePiece?.read(),
    };
  }
}
