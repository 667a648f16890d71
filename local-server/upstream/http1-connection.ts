/** One HTTP/1.1 connection to a service, for one request at a time. */
import type { Socket } from "node:net";
import { HOP_ID_HEADER } from "../../core/routing/proxy-headers.ts";
import { http1Lines } from "../http/fields.ts";
import { MalformedMessage } from "../http/protocol-errors.ts";
import { type ResponseHead, ResponseParser } from "../http/response-parser.ts";
import { ServiceSocket } from "./service-socket.ts";
import type { ResponseHandler, UpstreamRequest, UpstreamStream } from "./upstream-stream.ts";

export class Http1Connection implements UpstreamStream {
  readonly #socket: Socket;
  readonly #onFree: (connection: Http1Connection) => void;
  readonly #parser: ResponseParser;
  #handler: ResponseHandler | undefined;
  /** The request's body has no known length. */
  #chunked = false;
  #requested = false;
  #responded = false;
  #requests = 0;
  /** The bytes being parsed. */
  #bytes: SharedBytes | undefined;
  /** How long the service keeps an idle connection open (`Keep-Alive: timeout=N`), in milliseconds. */
  keepAlive: number | undefined;

  /** `onFree` is called each time the connection can be used again. */
  constructor(socket: Socket, onFree: (connection: Http1Connection) => void) {
    this.#socket = socket;
    this.#onFree = onFree;
    const listeners = {
      data: (chunk: Buffer) => this.#read(chunk, () => {}),
      drain: () => this.#handler?.drained(),
      end: () => {
        this.#parser.finish();
        if (!this.#parser.switched) socket.destroy();
      },
      error: (error: Error) => this.#fail(error),
      close: () => this.#fail(new Error("it closed the connection before its response was complete")),
    };
    for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
    if (socket instanceof ServiceSocket) socket.takeBytes = (bytes, free) => this.#read(bytes, free);
    this.#parser = new ResponseParser({
      information: (status, fields) => this.#handler?.information(status, fields),
      head: (head) => {
        this.keepAlive = keepAliveHint(head);
        this.#handler?.head(head);
      },
      data: (chunk) => {
        if (!this.#handler) return;
        const bytes = this.#bytes!;
        bytes.users++;
        this.#handler.data(chunk, () => release(bytes));
      },
      end: (trailers) => {
        this.#responded = true;
        this.#handler?.end(trailers);
        this.#settle();
      },
      switched: (head, rest) => {
        for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
        if (socket instanceof ServiceSocket) socket.takeBytes = undefined;
        const handler = this.#handler;
        this.#handler = undefined;
        handler?.switched(head, socket, Buffer.from(rest));
      },
    });
  }

  get alive(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  request(request: UpstreamRequest, handler: ResponseHandler): void {
    const { method, upgrade } = request;
    this.#handler = handler;
    this.#chunked = request.body === "chunked";
    this.#requested = false;
    this.#responded = false;
    this.#requests++;
    this.#parser.start({ method, upgrade: upgrade !== undefined });
    this.#socket.write(http1Head(request), "latin1");
  }

  write(chunk: Buffer): boolean {
    const socket = this.#socket;
    if (!this.#chunked) return socket.write(chunk);
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, "latin1");
    socket.write(chunk);
    const goesOn = socket.write("\r\n", "latin1");
    socket.uncork();
    return goesOn;
  }

  finish(trailers: string[]): void {
    if (this.#chunked) this.#socket.write(`0\r\n${http1Lines(trailers)}\r\n`, "latin1");
    this.#requested = true;
    if (this.#responded) this.#settle();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** HTTP/1 has no other way to tell the service than to close the connection. */
  abort(): void {
    this.#handler = undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer, free: () => void): void {
    const bytes: SharedBytes = { users: 1, free };
    this.#bytes = bytes;
    try {
      this.#parser.feed(chunk);
      this.#handler?.caughtUp();
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#fail(error);
    } finally {
      release(bytes);
    }
    // Bytes behind a complete response would be read as the beginning of the next one.
    if (this.#handler === undefined && !this.#parser.reusable && !this.#parser.switched)
      this.#socket.destroy();
  }

  /** The connection is free when both messages are complete: a half-sent request cannot be followed by another. */
  #settle(): void {
    if (this.#handler === undefined) return;
    this.#handler = undefined;
    this.#socket.resume();
    if (this.#requested && this.#parser.reusable && this.alive) this.#onFree(this);
    else this.#socket.destroy();
  }

  #fail(error: Error): void {
    const handler = this.#handler;
    this.#handler = undefined;
    this.#socket.destroy();
    handler?.failed(error, this.#requests > 1 && !this.#parser.sawBytes);
  }
}

/** A read buffer, freed when its last user is done. */
interface SharedBytes {
  users: number;
  free: () => void;
}

function release(bytes: SharedBytes): void {
  if (--bytes.users === 0) bytes.free();
}

/** The head of a request as HTTP/1.1 writes it, with the empty line that ends it. To be sent as latin1. */
function http1Head(request: UpstreamRequest): string {
  const { method, target, host, lines, traceparent, hop, acceptsTrailers, trailer, upgrade, body } = request;
  let head = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines.http1(traceparent)}`;
  if (hop !== undefined) head += `${HOP_ID_HEADER}: ${hop}\r\n`;
  if (acceptsTrailers) head += "TE: trailers\r\nConnection: TE\r\n";
  if (upgrade !== undefined) head += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  if (body === "chunked") {
    if (trailer !== undefined) head += `Trailer: ${trailer}\r\n`;
    head += "Transfer-Encoding: chunked\r\n";
  }
  return `${head}\r\n`;
}

function keepAliveHint({ fields }: ResponseHead): number | undefined {
  if (!fields.has("keep-alive")) return undefined;
  const match = /(?:^|[,;\s])timeout=(\d{1,6})/i.exec(fields.get("keep-alive")!);
  return match ? Number(match[1]) * 1000 : undefined;
}
