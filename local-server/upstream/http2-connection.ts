/** An HTTP/2 connection to a service: many streams at a time. */
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { HTTP2_LIMITS, HTTP2_SETTINGS, MAX_STREAMS } from "../http/limits.ts";
import { Http2Stream, type StreamOwner } from "./http2-stream.ts";

/** Bytes in flight from the service in all streams together. */
const CONNECTION_WINDOW = 16 * 1_048_576;
/** A connection that was silent for longer is probed with a PING before it is used again. */
const PROBE_AFTER_MS = 5_000;
/** How long the response to a PING may take. After sleep a laptop finds connections that are dead but were never closed. */
const PING_TIMEOUT_MS = 2_000;

export interface Http2ConnectionEvents {
  /** There is room for another request. */
  onFree(): void;
  /** The connection has ended. */
  onEnd(): void;
  onHttp1Required(): void;
}

export class Http2Connection implements StreamOwner {
  readonly #session: ClientHttp2Session;
  #streams = 0;
  /** Concurrent streams that the service allows. More would be refused, and have to be sent again. */
  #limit: number | undefined;
  #retired = false;
  used = false;
  /** When the service last sent something, ms of the monotonic clock. */
  #lastHeard = performance.now();
  #ping: Promise<boolean> | undefined;

  readonly #events: Http2ConnectionEvents;

  constructor(socket: Socket, origin: string, events: Http2ConnectionEvents) {
    this.#events = events;
    this.#session = process.getBuiltinModule("node:http2").connect(origin, {
      createConnection: () => socket,
      ...HTTP2_LIMITS,
      settings: { ...HTTP2_SETTINGS, enablePush: false },
    });
    this.#session.setLocalWindowSize(CONNECTION_WINDOW);
    this.#session.on("remoteSettings", ({ maxConcurrentStreams = MAX_STREAMS }) => {
      this.#limit = Math.min(maxConcurrentStreams, MAX_STREAMS);
      events.onFree();
    });
    this.#session.on("goaway", () => this.retire());
    // Every stream gets the error, and 'close' follows.
    this.#session.on("error", () => {});
    this.#session.once("close", () => events.onEnd());
    socket.once("end", () => socket.destroy());
  }

  /** As far as is known, it takes requests. */
  get usable(): boolean {
    return !this.#retired && !this.#session.closed && !this.#session.destroyed;
  }

  /** How many more streams it takes now. */
  get room(): number {
    return (this.#limit ?? 1) - this.#streams;
  }

  /** The service has sent its settings, and so the limit of concurrent streams. */
  get settled(): boolean {
    return this.#limit !== undefined;
  }

  /** How long no stream has been open, in milliseconds. */
  get idle(): number {
    return this.#streams > 0 ? 0 : performance.now() - this.#lastHeard;
  }

  /** Probes the connection: whether it is alive. Undefined when the service sent something a moment ago. */
  check(): Promise<boolean> | undefined {
    if (performance.now() - this.#lastHeard < PROBE_AFTER_MS) return undefined;
    this.#ping ??= this.#answersPing().finally(() => {
      this.#ping = undefined;
    });
    return this.#ping;
  }

  http1Required(): void {
    this.#events.onHttp1Required();
  }

  stream(): Http2Stream {
    return new Http2Stream(this);
  }

  open(...request: Parameters<ClientHttp2Session["request"]>): ClientHttp2Stream {
    const stream = this.#session.request(...request);
    this.#streams++;
    this.used = true;
    const heard = () => {
      this.#lastHeard = performance.now();
    };
    stream.on("headers", heard).on("response", heard).on("data", heard);
    stream.once("close", () => {
      this.#streams--;
      if (this.usable) this.#events.onFree();
    });
    return stream;
  }

  /** Takes no more streams, and closes with the last open one. */
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
      }, PING_TIMEOUT_MS);
      const answered = (error: Error | null) => {
        clearTimeout(silent);
        if (!error) this.#lastHeard = performance.now();
        resolve(!error);
      };
      if (!this.usable || !this.#session.ping(answered)) answered(new Error("The connection has ended."));
    });
  }
}
