/**
 * A service that speaks HTTP/2, or may: over TLS its first connection tells (ALPN), without TLS linkup.yaml does (`h2c`).
 * Connections that do are shared.
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Http2Connection } from "./http2-connection.ts";
import type { UpstreamStream } from "./upstream-stream.ts";

/** HTTP/2 connections to one service. When all are full, requests wait. */
const MAX_CONNECTIONS = 4;
/** Much longer than for HTTP/1.1: HTTP/2 announces its end, and a silent connection is probed before it is used. */
const IDLE_MS = 60_000;

/** What a request requires of its connection. */
export interface StreamRequirements {
  /** The request can be retried should the connection turn out to be closed. */
  retriable: boolean;
  /** Only a connection that was not used before. */
  fresh: boolean;
  /** The request asks to switch protocols: only HTTP/1.1. */
  upgrade: boolean;
  /** The service speaks HTTP/2 without TLS. */
  h2c: boolean;
}

/** Called once, with one of the two. */
export type StreamCallback = (error: Error | undefined, stream?: UpstreamStream) => void;

/** How an origin gets connections. */
export interface ConnectionSource {
  /** Every connection speaks HTTP/2, without negotiation. */
  priorKnowledge: boolean;
  /** Opens one, offering HTTP/2. Returns a function that gives up. */
  open(done: (error: Error | undefined, socket?: Socket) => void): () => void;
  /** A connection of HTTP/1.1, and one made of this socket. */
  acquireHttp1(requirements: StreamRequirements, done: StreamCallback): () => void;
  adoptHttp1(socket: Socket): UpstreamStream;
}

interface Waiter {
  requirements: StreamRequirements;
  done: StreamCallback;
  cancelled: boolean;
  giveUp?: () => void;
}

export class Http2Origin {
  readonly #origin: string;
  readonly #source: ConnectionSource;
  #isHttp1 = false;
  readonly #connections = new Set<Http2Connection>();
  #giveUpOpening: (() => void) | undefined;
  #waiting: Waiter[] = [];

  constructor(origin: string, source: ConnectionSource) {
    this.#origin = origin;
    this.#source = source;
  }

  acquire(requirements: StreamRequirements, done: StreamCallback): () => void {
    const waiter: Waiter = { requirements, done, cancelled: false };
    this.#serve(waiter);
    return () => {
      waiter.cancelled = true;
      waiter.giveUp?.();
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      if (this.#waiting.length > 0) return;
      this.#giveUpOpening?.();
      this.#giveUpOpening = undefined;
    };
  }

  /** Closes idle connections. */
  sweep(): void {
    for (const connection of this.#connections) if (connection.idle > IDLE_MS) connection.retire();
  }

  /** Closes the connections as soon as their last response is complete. */
  close(): void {
    this.#giveUpOpening?.();
    for (const connection of this.#connections) connection.retire();
  }

  #serve(waiter: Waiter): void {
    const { requirements, done } = waiter;
    if (waiter.cancelled) return;
    if (this.#isHttp1) {
      waiter.giveUp = this.#source.acquireHttp1(requirements, done);
      return;
    }
    const usable = this.#usable();
    const connection = requirements.fresh && usable.length < MAX_CONNECTIONS ? undefined : roomiest(usable);
    const check = connection?.check();
    if (check) void check.then(() => this.#serve(waiter));
    else if (connection) done(undefined, connection.stream());
    else {
      this.#waiting.push(waiter);
      this.#openAnother();
    }
  }

  #usable(): Http2Connection[] {
    return Array.from(this.#connections).filter((connection) => connection.usable);
  }

  #openAnother(): void {
    const usable = this.#usable();
    // A new connection whose limit is not known yet may have room for all.
    const settled = usable.every((connection) => connection.settled);
    if (this.#giveUpOpening || usable.length >= MAX_CONNECTIONS || !settled) return;
    this.#giveUpOpening = this.#source.open((error, socket) => {
      this.#giveUpOpening = undefined;
      if (!socket) return this.#refuseAll(error!);
      if (this.#source.priorKnowledge || (socket as Partial<TLSSocket>).alpnProtocol === "h2")
        this.#addConnection(socket);
      else {
        this.#isHttp1 = true;
        const first = this.#waiting.shift();
        if (first) first.done(undefined, this.#source.adoptHttp1(socket));
        else socket.destroy();
      }
      this.#serveAll();
    });
  }

  #addConnection(socket: Socket): void {
    const connection = new Http2Connection(socket, this.#origin, {
      onFree: () => {
        if (this.#waiting.length > 0) this.#serveAll();
      },
      onEnd: () => {
        this.#connections.delete(connection);
        if (this.#waiting.length > 0) this.#openAnother();
      },
      onHttp1Required: () => {
        this.#isHttp1 = true;
        connection.retire();
        this.#serveAll();
      },
    });
    this.#connections.add(connection);
  }

  /** There is a fresh connection now: requests that waited for one take it. */
  #serveAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) {
      waiter.requirements = { ...waiter.requirements, fresh: false };
      this.#serve(waiter);
    }
  }

  #refuseAll(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { done } of waiting) done(error);
  }
}

function roomiest(connections: Http2Connection[]): Http2Connection | undefined {
  let best: Http2Connection | undefined;
  for (const connection of connections) if (connection.room > (best?.room ?? 0)) best = connection;
  return best;
}
