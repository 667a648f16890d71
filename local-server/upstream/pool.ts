/** Keeps connections to services open between requests: a new one for each would double the cost of a request. */
import type { Socket } from "node:net";
import { connect, endpoint } from "./connect.ts";
import { Connection } from "./connection.ts";

/** Idle connections kept for one service: as many as a page over HTTP/2 asks at once. */
const MAX_IDLE = 256;
/** Servers close idle connections after 2 s (gunicorn) or more; a closed one that we still use costs a retry. */
const IDLE_MS = 4_000;
/** A request that cannot be repeated only takes a connection that was busy a moment ago. */
const FRESH_MS = 1_000;

interface Idle {
  connection: Connection;
  /** Milliseconds of the monotonic clock. */
  since: number;
  until: number;
}

/** Opens a connection to an origin, and calls back once. Returns a function that gives up. */
export type Open = (origin: string, done: (error: Error | undefined, socket?: Socket) => void) => () => void;

export class Pool {
  readonly #open: Open;
  readonly #idle = new Map<string, Idle[]>();

  constructor(open: Open = (origin, done) => connect(endpoint(origin), done)) {
    this.#open = open;
  }

  /**
   * Hands over a connection to this origin (`http://host:port`), an idle one when there is one. `repeatable` says that
   * the request can be sent again should the connection turn out to be closed. Returns a function that gives up.
   */
  acquire(
    origin: string,
    { repeatable, fresh }: { repeatable: boolean; fresh: boolean },
    done: (error: Error | undefined, connection?: Connection) => void,
  ): () => void {
    const idle = fresh ? undefined : this.#take(origin, repeatable);
    if (idle) {
      done(undefined, idle);
      return () => {};
    }
    return this.#open(origin, (error, socket) => {
      if (!socket) return done(error);
      done(undefined, new Connection(socket, (connection) => this.#put(origin, connection)));
    });
  }

  /** Closes what is idle. */
  clear(): void {
    for (const list of this.#idle.values()) for (const { connection } of list) connection.abort();
    this.#idle.clear();
  }

  #take(origin: string, repeatable: boolean): Connection | undefined {
    const list = this.#idle.get(origin);
    const now = performance.now();
    for (let idle = list?.pop(); idle; idle = list?.pop()) {
      const young = repeatable || now - idle.since < FRESH_MS;
      if (idle.connection.alive && idle.until > now && young) return idle.connection;
      idle.connection.abort();
    }
    return undefined;
  }

  #put(origin: string, connection: Connection): void {
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
  }
}
