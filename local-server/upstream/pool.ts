/** Keeps connections to services open between requests: a new one for each would double the cost of a request. */
import type { Socket } from "node:net";
import { connect, endpoint } from "./connect.ts";
import { Http1Connection } from "./http1-connection.ts";
import { type Acquired, type Need, SecureOrigin } from "./secure-origin.ts";

/** Idle connections kept for one service: as many as a page over HTTP/2 asks at once. */
const MAX_IDLE = 256;
/** Servers close idle connections after 2 s (gunicorn) or more; a closed one that we still use costs a retry. */
const IDLE_MS = 4_000;
/** A request that cannot be repeated only takes a connection that was busy a moment ago. */
const FRESH_MS = 1_000;

const HTTP1 = ["http/1.1"];
const HTTP2 = ["h2", "http/1.1"];

interface Idle {
  connection: Http1Connection;
  /** Milliseconds of the monotonic clock. */
  since: number;
  until: number;
}

/**
 * Opens a connection to an origin, offers these protocols where it is TLS, and calls back once.
 * Returns a function that gives up.
 */
export type Open = (
  origin: string,
  protocols: readonly string[],
  done: (error: Error | undefined, socket?: Socket) => void,
) => () => void;

export class Pool {
  readonly #open: Open;
  readonly #idle = new Map<string, Idle[]>();
  readonly #secure = new Map<string, SecureOrigin>();

  constructor(open: Open = (origin, protocols, done) => connect({ ...endpoint(origin), protocols }, done)) {
    this.#open = open;
  }

  /**
   * Hands over a connection to this origin (`http://host:port`): one that is idle, or has room for another request,
   * or a new one. Returns a function that gives up.
   */
  acquire(origin: string, need: Need, done: Acquired): () => void {
    if (need.upgrade || !origin.startsWith("https:")) return this.#acquireHttp1(origin, need, done);
    const secure = this.#secure.get(origin) ?? this.#newSecure(origin);
    return secure.acquire(need, done);
  }

  /** Closes what is idle, and what waits. */
  clear(): void {
    for (const list of this.#idle.values()) for (const { connection } of list) connection.abort();
    this.#idle.clear();
    for (const secure of this.#secure.values()) secure.close();
  }

  /** Closes what has been idle for too long. To be called now and then. */
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
    for (const secure of this.#secure.values()) secure.sweep();
  }

  #newSecure(origin: string): SecureOrigin {
    const secure = new SecureOrigin(origin, {
      open: (done) => this.#open(origin, HTTP2, done),
      acquireHttp1: (need, done) => this.#acquireHttp1(origin, need, done),
      adoptHttp1: (socket) => this.#http1(origin, socket),
    });
    this.#secure.set(origin, secure);
    return secure;
  }

  #acquireHttp1(origin: string, { fresh, repeatable }: Need, done: Acquired): () => void {
    const idle = fresh ? undefined : this.#take(origin, repeatable);
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

  #take(origin: string, repeatable: boolean): Http1Connection | undefined {
    const list = this.#idle.get(origin);
    const now = performance.now();
    for (let idle = list?.pop(); idle; idle = list?.pop()) {
      const young = repeatable || now - idle.since < FRESH_MS;
      if (idle.connection.alive && idle.until > now && young) return idle.connection;
      idle.connection.abort();
    }
    return undefined;
  }

  #put(origin: string, connection: Http1Connection): void {
    const since = performance.now();
    // A second less than the service said: its clock started before ours.
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
