/** A service that speaks TLS: finds out by its first connection whether it speaks HTTP/2, and shares those that do. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Connection } from "./connection.ts";
import { Http2Session } from "./http2-session.ts";

/** HTTP/2 connections to one service. When all are full, requests wait for a place. */
const MAX_SESSIONS = 4;
/** Much longer than for HTTP/1.1: HTTP/2 says when it ends, and after a pause is asked whether it is still there. */
const IDLE_MS = 60_000;

/** What a request needs of its connection. */
export interface Need {
  /** It can be sent again should the connection turn out to be closed. */
  repeatable: boolean;
  /** None that has been used before. */
  fresh: boolean;
  /** It asks to switch protocols, which HTTP/2 is not asked for. */
  upgrade: boolean;
}

/** Called once, with one of the two. */
export type Acquired = (error: Error | undefined, connection?: Connection) => void;

/** How an origin gets at connections. */
export interface Connections {
  /** Opens one, offering HTTP/2. Returns a function that gives up. */
  open(done: (error: Error | undefined, socket?: Socket) => void): () => void;
  /** A connection of HTTP/1.1, and one made of this socket. */
  acquireHttp1(need: Need, done: Acquired): () => void;
  adoptHttp1(socket: Socket): Connection;
}

interface Waiter {
  need: Need;
  done: Acquired;
  gone: boolean;
  giveUp?: () => void;
}

export class SecureOrigin {
  readonly #origin: string;
  readonly #connections: Connections;
  #isHttp1 = false;
  readonly #sessions = new Set<Http2Session>();
  #giveUpOpening: (() => void) | undefined;
  #waiting: Waiter[] = [];

  constructor(origin: string, connections: Connections) {
    this.#origin = origin;
    this.#connections = connections;
  }

  acquire(need: Need, done: Acquired): () => void {
    const waiter: Waiter = { need, done, gone: false };
    this.#serve(waiter);
    return () => {
      waiter.gone = true;
      waiter.giveUp?.();
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      if (this.#waiting.length > 0) return;
      this.#giveUpOpening?.();
      this.#giveUpOpening = undefined;
    };
  }

  /** Closes what has been idle for too long. */
  sweep(): void {
    for (const session of this.#sessions) if (session.idle > IDLE_MS) session.retire();
  }

  /** Closes what is open, when the last answer is complete. */
  close(): void {
    this.#giveUpOpening?.();
    for (const session of this.#sessions) session.retire();
  }

  #serve(waiter: Waiter): void {
    const { need, done } = waiter;
    if (waiter.gone) return;
    if (this.#isHttp1) {
      waiter.giveUp = this.#connections.acquireHttp1(need, done);
      return;
    }
    const usable = this.#usable();
    const session = need.fresh && usable.length < MAX_SESSIONS ? undefined : roomiest(usable);
    const check = session?.check();
    if (check) void check.then(() => this.#serve(waiter));
    else if (session) done(undefined, session.connection());
    else {
      this.#waiting.push(waiter);
      this.#openAnother();
    }
  }

  #usable(): Http2Session[] {
    return Array.from(this.#sessions).filter((session) => session.usable);
  }

  #openAnother(): void {
    const usable = this.#usable();
    // Those that have just been opened may have room for all, as soon as they know.
    const settled = usable.every((session) => session.settled);
    if (this.#giveUpOpening || usable.length >= MAX_SESSIONS || !settled) return;
    this.#giveUpOpening = this.#connections.open((error, socket) => {
      this.#giveUpOpening = undefined;
      if (!socket) return this.#refuseAll(error!);
      if ((socket as Partial<TLSSocket>).alpnProtocol === "h2") this.#addSession(socket);
      else {
        this.#isHttp1 = true;
        const first = this.#waiting.shift();
        if (first) first.done(undefined, this.#connections.adoptHttp1(socket));
        else socket.destroy();
      }
      this.#serveAll();
    });
  }

  #addSession(socket: Socket): void {
    const session = new Http2Session(socket, this.#origin, {
      onFree: () => {
        if (this.#waiting.length > 0) this.#serveAll();
      },
      onEnd: () => {
        this.#sessions.delete(session);
        if (this.#waiting.length > 0) this.#openAnother();
      },
      onHttp1Required: () => {
        this.#isHttp1 = true;
        session.retire();
        this.#serveAll();
      },
    });
    this.#sessions.add(session);
  }

  /** What waited for a fresh connection has waited long enough: there is one. */
  #serveAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) {
      waiter.need = { ...waiter.need, fresh: false };
      this.#serve(waiter);
    }
  }

  #refuseAll(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { done } of waiting) done(error);
  }
}

function roomiest(sessions: Http2Session[]): Http2Session | undefined {
  let best: Http2Session | undefined;
  for (const session of sessions) if (session.room > (best?.room ?? 0)) best = session;
  return best;
}
