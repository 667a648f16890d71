/** One request and its response on the upstream side, whichever version of HTTP the service speaks. */
import type { Socket } from "node:net";
import type { HeaderLines } from "../http/fields.ts";
import type { ResponseHead, ResponseReader } from "../http/response-parser.ts";

/** The head of a request to a service. Each version of HTTP serialises it in its own way. */
export interface UpstreamRequest {
  /** `http://host:port` of the service. */
  origin: string;
  /** The service speaks HTTP/2 without TLS. */
  h2c: boolean;
  method: string;
  /** Path and query, or `*`. */
  target: string;
  /** For `Host` or `:authority`. */
  host: string;
  /** All others but those of the connection, shared by requests that differ in `traceparent` alone. */
  lines: HeaderLines;
  /** The value that varies in `lines`. */
  traceparent: string | undefined;
  /** The id by which the next hop reports this exchange. */
  hop: string | undefined;
  /** The client takes trailers (`TE: trailers`). */
  acceptsTrailers: boolean;
  /** The names of the body's trailers, where the client announced them. */
  trailer: string | undefined;
  /** The protocol to switch to. */
  upgrade: string | undefined;
  body: "none" | "of known length" | "chunked";
}

/** Is called with the response as it arrives. */
export interface ResponseHandler extends Omit<ResponseReader, "data" | "switched"> {
  /** A piece of the body. `done` is to be called when its bytes are not needed any more: their memory is used again then. */
  data(chunk: Buffer, done: () => void): void;
  /** All that has arrived so far was handed over. */
  caughtUp(): void;
  /** 101: the socket is the caller's now; `rest` is what came right behind the head. */
  switched(head: ResponseHead, socket: Socket, rest: Buffer): void;
  /** The service takes request body again after `write` was false. */
  drained(): void;
  /** No (complete) response will come. `stale`: not a byte of it came, on a connection that was used before. */
  failed(error: Error, stale: boolean): void;
}

export interface UpstreamStream {
  /** Sends the head of a request; its body follows with `write`, and always `finish`. */
  request(request: UpstreamRequest, handler: ResponseHandler): void;
  /** False when the caller should wait for `drained`. */
  write(chunk: Buffer): boolean;
  /** The request is complete. `trailers` as name, value, name, value…, of a chunked body only. */
  finish(trailers: string[]): void;
  /** Stops reading the response's body. */
  pause(): void;
  resume(): void;
  /** The response is not needed any more. */
  abort(): void;
}
