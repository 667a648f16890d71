/** An in-flight exchange. The proxy records events; formatting happens only when the log is read. */

import { randomBytes } from "node:crypto";
import { hopIdOf } from "../../core/routing/proxy-headers.ts";
import type { Listener, RequestDecision } from "../../core/routing/request-decision.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import { spanIdOf, traceIdOf } from "../../core/routing/trace-context.ts";
import type { Client, ClientHead } from "../downstream/client.ts";
import type { TunnelledTraffic } from "../downstream/splice.ts";
import { EventCounter } from "../http/event-counter.ts";
import { FrameCounter } from "../http/frame-counter.ts";
import type { LocalFailure } from "../http/local-failures.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Served } from "../served-sessions.ts";
import { BodyCapture } from "./body-capture.ts";
import { timeOfDay } from "./clock.ts";
import { ExchangeMetadata, RareFields, type RecordedExchange } from "./exchange-metadata.ts";

/** What the log keeps of a request. */
export type LoggedRequest = ClientHead & Pick<Client, "protocol">;

export interface ExchangeEvents {
  /** Somebody follows the log: traces and hops are noted. */
  readonly followed: boolean;
  /** Its decision is known, or it has become a WebSocket. */
  changed(exchange: InFlightExchange): void;
  /** Its trace is known. */
  traced(exchange: InFlightExchange): void;
  /** The last event: the exchange can be released. */
  ended(exchange: InFlightExchange): void;
}

export class InFlightExchange extends ExchangeMetadata {
  readonly client: LoggedRequest;
  readonly #events: ExchangeEvents;
  /** The service's response. */
  response: ResponseHead | undefined;
  /** In the set of exchanges in flight. */
  index = 0;

  /** `bodyBytes`: how much of each body is captured. */
  constructor(
    id: number,
    client: LoggedRequest,
    listener: Listener,
    bodyBytes: number,
    events: ExchangeEvents,
  ) {
    super();
    this.id = id;
    this.client = client;
    this.#events = events;
    this.listener = listener;
    this.protocol = client.protocol;
    this.secure = client.secure;
    this.started = performance.now();
    this.time = timeOfDay(this.started);
    if (bodyBytes === 0) return;
    this.rare = new RareFields();
    this.rare.bodies = { request: new BodyCapture(bodyBytes), response: new BodyCapture(bodyBytes) };
  }

  get followed(): boolean {
    return this.#events.followed;
  }

  /** It was not sent by a client, but repeats an exchange of the log. */
  replays(id: number, origin: string): void {
    const rare = this.#rareFields();
    rare.replayOf = id;
    rare.replayOrigin = origin;
  }

  decided(decision: RequestDecision<Served> | { failure: LocalFailure }): void {
    if ("publicHost" in decision) this.#rareFields().publicHost = decision.publicHost;
    else {
      if ("served" in decision) this.served = decision.served;
      if (!("failure" in decision)) this.service = decision.decision.service;
    }
    if (this.#events.followed) this.#noteTrace();
    this.#events.changed(this);
  }

  nextHop(host: string): string | undefined {
    if (!this.#events.followed || (this.served && !this.served.edge)) return undefined;
    const id = randomBytes(8).toString("hex");
    this.#rareFields().nextHop = { id, host: host.toLowerCase() };
    return id;
  }

  sentOn(traceparent: string | undefined): void {
    if (!this.#events.followed) return;
    if (traceparent !== undefined) this.#noteTraceparent(traceparent);
    this.#events.traced(this);
  }

  #noteTrace(): void {
    const rare = this.#rareFields();
    this.#noteTraceparent(this.client.header("traceparent"));
    // Behind the tunnel's secret it is the Worker's. While that reports nothing, it passes on a client's own, which joins nothing.
    if (this.listener === "tunnel" && this.served) rare.hop = hopIdOf(this.client) ?? undefined;
  }

  #noteTraceparent(traceparent: string | null | undefined): void {
    const rare = this.#rareFields();
    rare.trace = traceIdOf(traceparent);
    rare.span = spanIdOf(traceparent);
  }

  /** Another connection is requested, because the first one was stale. */
  retried(): void {
    const rare = this.#rareFields();
    rare.acquired = performance.now();
    rare.connected = 0;
  }

  /** It goes on to another copy of its service. */
  fellBack({ served, decision }: { served: Served; decision: Routed }, why: string): void {
    if (this.rare) this.rare.nextHop = undefined;
    this.served = served;
    this.service = decision.service;
    this.#rareFields().fallback = why;
    this.#events.changed(this);
  }

  /** A connection that was waited for is ready. */
  connected(): void {
    this.#rareFields().connected = performance.now();
  }

  sent(chunk: Buffer): void {
    this.requestBytes += chunk.length;
    this.rare?.bodies?.request.take(chunk);
  }

  /** `status`: the one that the client gets. */
  respond(status: number, response: ResponseHead): void {
    this.status = status;
    this.response = response;
    this.responded = performance.now();
    if (isEventStream(response)) this.#rareFields().events = new EventCounter();
  }

  received(chunk: Buffer): void {
    this.responseBytes += chunk.length;
    this.rare?.events?.feed(chunk);
    this.rare?.bodies?.response.take(chunk);
  }

  /** The proxy responds in the service's place. `error`: what happened to the connection. */
  refused({ status, code }: LocalFailure, headers: string[], error: Error | undefined): void {
    this.status = status;
    const rare = this.#rareFields();
    rare.failure = code;
    rare.ownHeaders = headers;
    this.response = undefined;
    this.responded = performance.now();
    if (error) this.aborted("service", error.message);
  }

  /** From here on bytes are carried, not HTTP. Returns the observer of them. */
  switched(response: ResponseHead): TunnelledTraffic {
    this.respond(101, response);
    this.#events.changed(this);
    const rare = this.#rareFields();
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
      ended: (by) => {
        if (isWebSocket && !frames.client.closed && !frames.service.closed)
          this.aborted(by, "it left without a close frame");
      },
    };
  }

  /** The first side to abort is the one recorded. An exchange that has ended cannot be aborted. */
  aborted(by: "client" | "service", reason: string): void {
    if (this.ended !== 0) return;
    const rare = this.#rareFields();
    rare.brokenBy ??= by;
    rare.reason ??= reason;
  }

  /** `sameTick`: in the same tick as the response head, whose timestamp is used again. */
  end(sameTick = false): void {
    if (this.ended !== 0) return;
    this.ended = sameTick ? this.responded : performance.now();
    this.#events.ended(this);
    // Node may keep a stream, and so this object, until V8 has promoted it to the old generation.
    this.response = undefined;
  }

  #rareFields(): RareFields {
    this.rare ??= new RareFields();
    return this.rare;
  }

  /** Its present state. */
  read(): RecordedExchange {
    const { method, host, target, fields } = this.client;
    return {
      metadata: this,
      method,
      host,
      target,
      requestHeaders: fields,
      responseHeaders: this.rare?.ownHeaders ?? this.response?.fields.raw,
      requestBody: this.rare?.bodies?.request.read(),
      responseBody: this.rare?.bodies?.response.read(),
    };
  }
}

function isEventStream({ fields }: ResponseHead): boolean {
  return (
    fields.get("content-type")?.startsWith("text/event-stream") === true &&
    fields.get("content-encoding") === undefined
  );
}
