/** An exchange under way. Who carries it tells what happens; nothing is made of that before somebody reads. */

import type { Listener } from "../../core/routing/request-decision.ts";
import type { Client } from "../downstream/client.ts";
import type { Traffic } from "../downstream/splice.ts";
import type { Failure } from "../http/failures.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Verdict } from "../proxy/decide.ts";
import { BodyPiece } from "./body-piece.ts";
import { timeOfDay } from "./clock.ts";
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
  readonly #log: Listening;
  /** What the service answered. */
  response: ResponseHead | undefined;
  /** Among those under way. */
  place = 0;

  /** `bodyBytes`: how much of each body is kept. */
  constructor(id: number, client: Client, listener: Listener, bodyBytes: number, log: Listening) {
    super();
    this.id = id;
    this.client = client;
    this.#log = log;
    this.listener = listener;
    this.protocol = client.protocol;
    this.secure = client.secure;
    this.started = performance.now();
    this.time = timeOfDay(this.started);
    if (bodyBytes === 0) return;
    this.rare = new Rare();
    this.rare.pieces = { request: new BodyPiece(bodyBytes), response: new BodyPiece(bodyBytes) };
  }

  decided(verdict: Verdict | { failure: Failure }): void {
    if ("publicHost" in verdict) this.#rarely().publicHost = verdict.publicHost;
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
    this.rare?.pieces?.request.take(chunk);
  }

  /** `status`: what the client is told. */
  respond(status: number, response: ResponseHead): void {
    this.status = status;
    this.response = response;
    this.answered = performance.now();
  }

  received(chunk: Buffer): void {
    this.responseBytes += chunk.length;
    this.rare?.pieces?.response.take(chunk);
  }

  /** The proxy answers in the service's place. `error`: what happened to the connection. */
  refused({ status, code }: Failure, headers: string[], error: Error | undefined): void {
    this.status = status;
    const rare = this.#rarely();
    rare.failure = code;
    rare.ownHeaders = headers;
    this.response = undefined;
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

  /** `justAnswered`: in the instant of the answer, so the clock is not asked once more. */
  end(justAnswered = false): void {
    if (this.ended !== 0) return;
    this.ended = justAnswered ? this.answered : performance.now();
    this.#log.ended(this);
    // Node may hold on to a stream, and so to this, until V8 has carried it into the old generation.
    this.response = undefined;
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
      responseHeaders: this.rare?.ownHeaders ?? this.response?.fields.raw,
      requestBody: this.rare?.pieces?.request.read(),
      responseBody: this.rare?.pieces?.response.read(),
    };
  }
}
