/** What carries one request at a time to a service, whichever version of HTTP the service speaks. */
import type { Socket } from "node:net";
import type { ResponseHead, ResponseReader } from "../http/response-parser.ts";

export interface SentRequest {
  /** `http://host:port` of the service. */
  origin: string;
  method: string;
  /** Request line and headers as HTTP/1.1 has them, with the empty line behind them, to be sent as latin1. */
  head: string;
  /** Asks to switch protocols. */
  upgrade: boolean;
  body: "none" | "of known length" | "chunked";
}

export interface Answer extends Omit<ResponseReader, "data" | "switched"> {
  /** A piece of the body. `done` is to be called when its bytes are not needed any more: they are used again then. */
  data(chunk: Buffer, done: () => void): void;
  /** All that has arrived so far has been handed over. */
  caughtUp(): void;
  /** 101: the connection is the caller's now; `rest` is what came right behind the head. */
  switched(head: ResponseHead, socket: Socket, rest: Buffer): void;
  /** The connection takes request body again after `write` was false. */
  drained(): void;
  /** No (complete) answer will come. `stale`: not a byte of it came, on a connection that was used before. */
  failed(error: Error, stale: boolean): void;
}

export interface Connection {
  /** Sends the head of a request; its body follows with `write`, and always `finish`. */
  request(request: SentRequest, answer: Answer): void;
  /** False when the caller should wait for `drained`. */
  write(chunk: Buffer): boolean;
  /** The request is complete. `trailers` as name, value, name, value…, of a chunked body only. */
  finish(trailers: string[]): void;
  /** Holds the answer's body back. */
  pause(): void;
  resume(): void;
  /** Nobody waits for the answer any more. */
  abort(): void;
}
