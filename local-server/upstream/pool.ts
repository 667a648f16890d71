/** Keeps connections to services open between requests: a new one each time would double the cost of a request. */
import type { Socket } from "node:net";
import { connect, endpoint } from "./connect.ts";
import { Http1Connection } from "./http1-connection.ts";
import { Http2Origin, type StreamCallback, type StreamRequirements } from "./http2-origin.ts";

/** Idle connections kept for one service: as many as a page requests at once over HTTP/2. */
const MAX_IDLE = 256;
/** Servers close idle connections after 2 s (gunicorn) or more; a closed one that we still use costs a retry. */
const IDLE_MS = 4_000;
/** A request that cannot be retried takes only a connection that was busy a moment ago. */
const MAX_UNRETRIABLE_IDLE_MS = 1_000;

const HTTP1 = ["http/1.1"];
const HTTP2 = ["h2", "http/1.1"];
const H2C = ["h2"];

interface IdleConnection {
  connection: Http1Connection;
  /** ms of the monotonic clock. */
  since: number;
  until: number;
}

/**
 * Opens a connection to an origin for one of these protocols, which it offers where it is TLS, and calls back once.
 * Returns a function that gives up.
 */
export type OpenSocket = (
  origin: string,
  protocols: readonly string[],
  done: (error: Error | undefined, socket?: Socket) => void,
) => () => void;

export class Pool {
  readonly #open: OpenSocket;
  readonly #idle = new Map<string, IdleConnection[]>();
  readonly #http2Origins = new Map<string, Http2Origin>();

  constructor(
    open: OpenSocket = (origin, protocols, done) => connect({ ...endpoint(origin), protocols }, done),
  ) {
    this.#open = open;
  }

  /**
   * Hands over a stream to this origin (`http://host:port`): on a connection that is idle or has room for another stream,
   * or on a new one. Returns a function that gives up.
   */
  acquire(origin: string, requirements: StreamRequirements, done: StreamCallback): () => void {
    const { upgrade, h2c } = requirements;
    if (upgrade || !(h2c || origin.startsWith("https:")))
      return this.#acquireHttp1(origin, requirements, done);
    // A service may be reached at the same port by both versions.
    const key = h2c ? `h2c ${origin}` : origin;
    const http2 = this.#http2Origins.get(key) ?? this.#addHttp2Origin(key, origin, h2c);
    return http2.acquire(requirements, done);
  }

  /** Closes idle connections, and gives up those being opened. */
  clear(): void {
    for (const list of this.#idle.values()) for (const { connection } of list) connection.abort();
    this.#idle.clear();
    for (const http2 of this.#http2Origins.values()) http2.close();
  }

  /** Closes connections that were idle for too long. To be called every few seconds. */
  sweep(): void {
    const now = performance.now();
    for (const [origin, list] of this.#idle) {
      const kept = list.filter(({ connection, until }) => {
        if (connection.alive && until > now) return true;
        connection.abort();
        return false;
      });
      if (kept.length > 0) this.#idle.set(origin, kept);
      else this.#idle.delete(origin);
    }
    for (const http2 of this.#http2Origins.values()) http2.sweep();
  }

  #addHttp2Origin(key: string, origin: string, h2c: boolean): Http2Origin {
    const http2 = new Http2Origin(origin, {
      priorKnowledge: h2c,
      open: (done) => this.#open(origin, h2c ? H2C : HTTP2, done),
      acquireHttp1: (requirements, done) => this.#acquireHttp1(origin, requirements, done),
      adoptHttp1: (socket) => this.#http1(origin, socket),
    });
    this.#http2Origins.set(key, http2);
    return http2;
  }

  #acquireHttp1(origin: string, { fresh, retriable }: StreamRequirements, done: StreamCallback): () => void {
    const idle = fresh ? undefined : this.#take(origin, retriable);
    if (idle) {
      done(undefined, idle);
      return () => {};
    }
    return this.#open(origin, HTTP1, (error, socket) => {
      if (socket) done(undefined, this.#http1(origin, socket));
      else done(error);
    });
  }

  #http1(origin: string, socket: Socket): Http1Connection {
    return new Http1Connection(socket, (connection) => this.#put(origin, connection));
  }

  #take(origin: string, retriable: boolean): Http1Connection | undefined {
    const list = this.#idle.get(origin);
    const now = performance.now();
    for (let idle = list?.pop(); idle; idle = list?.pop()) {
      const young = retriable || now - idle.since < MAX_UNRETRIABLE_IDLE_MS;
      if (idle.connection.alive && idle.until > now && young) return idle.connection;
      idle.connection.abort();
    }
    return undefined;
  }

  #put(origin: string, connection: Http1Connection): void {
    const since = performance.now();
    // A second less than the service announced: its timer started before ours.
    const ms = connection.keepAlive === undefined ? IDLE_MS : Math.min(connection.keepAlive - 1000, 60_000);
    const list = this.#idle.get(origin) ?? [];
    if (ms <= 0 || list.length >= MAX_IDLE) {
      connection.abort();
      return;
    }
    list.push({ connection, since, until: since + ms });
    this.#idle.set(origin, list);
  }
}
