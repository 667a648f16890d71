/** One HTTP/2 connection to a service, for many requests at a time. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import type { Socket } from "node:net";
import { HTTP2_LIMITS, HTTP2_SETTINGS, MAX_STREAMS } from "../http/http2-limits.ts";
import { Http2Connection } from "./http2-connection.ts";

/** Bytes that a service may have under way to us in all streams. */
const SESSION_WINDOW = 16 * 1_048_576;
/** After this long without a word from the service it is asked first whether it is still there. */
const QUIET_MS = 5_000;
/** How long it may take to say so. A laptop that has slept finds connections that nobody has closed. */
const PING_MS = 2_000;

export interface SessionEvents {
  /** There is room for another request. */
  onFree(): void;
  /** The connection has ended. */
  onEnd(): void;
  /** The service wants this request by HTTP/1.1 (RFC 9113, 7: HTTP_1_1_REQUIRED). */
  onHttp1Required(): void;
}

export class Http2Session {
  readonly #session: ClientHttp2Session;
  #streams = 0;
  /** Requests at a time. More would be refused, and have to be sent again. */
  #limit: number | undefined;
  #retired = false;
  /** It has carried a request. */
  used = false;
  /** Milliseconds of the monotonic clock. */
  #heard = performance.now();
  #ping: Promise<boolean> | undefined;

  readonly #events: SessionEvents;

  constructor(socket: Socket, origin: string, events: SessionEvents) {
    this.#events = events;
    this.#session = connect(origin, {
      createConnection: () => socket,
      ...HTTP2_LIMITS,
      settings: { ...HTTP2_SETTINGS, enablePush: false },
    });
    this.#session.setLocalWindowSize(SESSION_WINDOW);
    this.#session.on("remoteSettings", ({ maxConcurrentStreams = MAX_STREAMS }) => {
      this.#limit = Math.min(maxConcurrentStreams, MAX_STREAMS);
      events.onFree();
    });
    this.#session.on("goaway", () => this.retire());
    // Each of its streams hears of it, and 'close' follows.
    this.#session.on("error", () => {});
    this.#session.once("close", () => events.onEnd());
    socket.once("end", () => socket.destroy());
  }

  /** It takes requests, as far as is known. */
  get usable(): boolean {
    return !this.#retired && !this.#session.closed && !this.#session.destroyed;
  }

  /** How many more requests it takes now. */
  get room(): number {
    return (this.#limit ?? 1) - this.#streams;
  }

  /** The service has said how many requests it takes at a time. */
  get settled(): boolean {
    return this.#limit !== undefined;
  }

  /** How long nothing has been under way, in milliseconds. */
  get idle(): number {
    return this.#streams > 0 ? 0 : performance.now() - this.#heard;
  }

  /** Undefined when it has been heard of a moment ago; else whether it answers. */
  check(): Promise<boolean> | undefined {
    if (performance.now() - this.#heard < QUIET_MS) return undefined;
    this.#ping ??= this.#answersPing().finally(() => {
      this.#ping = undefined;
    });
    return this.#ping;
  }

  http1Required(): void {
    this.#events.onHttp1Required();
  }

  connection(): Http2Connection {
    return new Http2Connection(this);
  }

  /** Begins a stream. Throws when the connection takes none any more. */
  open(...request: Parameters<ClientHttp2Session["request"]>): ClientHttp2Stream {
    const stream = this.#session.request(...request);
    this.#streams++;
    this.used = true;
    const heard = () => {
      this.#heard = performance.now();
    };
    stream.on("headers", heard).on("response", heard).on("data", heard);
    stream.once("close", () => {
      this.#streams--;
      if (this.usable) this.#events.onFree();
    });
    return stream;
  }

  /** Takes no more requests, and ends with the last of those it has. */
  retire(): void {
    this.#retired = true;
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }

  #answersPing(): Promise<boolean> {
    return new Promise((resolve) => {
      const silent = setTimeout(() => {
        this.destroy();
        resolve(false);
      }, PING_MS);
      const answered = (error: Error | null) => {
        clearTimeout(silent);
        if (!error) this.#heard = performance.now();
        resolve(!error);
      };
      if (!this.usable || !this.#session.ping(answered)) answered(new Error("The connection has ended."));
    });
  }
}
