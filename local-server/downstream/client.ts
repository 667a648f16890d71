/** The client's side of one request: the same for HTTP/1.1 and HTTP/2. */

import type { Socket } from "node:net";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import type { Exchange } from "../access-log/exchange.ts";
import type { Protocol } from "../access-log/facts.ts";
import type { Fields } from "../http/fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Traffic } from "./splice.ts";

export interface RequestBody {
  data(chunk: Buffer): void;
  /** `trailers` as name, value, name, value… */
  end(trailers: string[]): void;
}

/** The head of an answer. `headers` as name, value, name, value…, without those of a connection. */
export interface ForwardedHead {
  status: number;
  reason: string;
  headers: string[];
  hasBody: boolean;
  /** The body's length in bytes, when it is known; only then there can be no trailers. */
  length: number | undefined;
}

/** The head of a request, and how it came. */
export interface ClientHead extends RequestHead {
  readonly method: string;
  readonly fields: Fields;
  /** The client speaks TLS. */
  readonly secure: boolean;
  /** False when the request ends with its head. */
  readonly hasBody: boolean;
  /** The protocol that the client wants to switch to: `websocket`. */
  readonly upgrade?: string | undefined;
}

export interface Client extends ClientHead {
  readonly protocol: Protocol;
  /** What the request log notes; undefined without a log. */
  exchange: Exchange | undefined;
  /** The client has gone away before its answer was complete. Called at most once. */
  onGone: () => void;
  /** The answer may go on after `write` was false. */
  onDrain: () => void;

  /** Begins to hand over the request's body. */
  read(body: RequestBody): void;
  pause(): void;
  resume(): void;

  /** 100, 102 or 103. */
  inform(status: number, headers: string[]): void;
  respond(head: ForwardedHead): void;
  /** Sends the head, if it waits for the body. */
  flush(): void;
  /** False when the caller should wait for `onDrain`. `done` is called when the bytes are not needed any more. */
  write(chunk: Buffer, done: () => void): boolean;
  end(trailers: string[]): void;
  /** The service has switched protocols: from here on bytes are carried, not HTTP. With `upgrade` only. */
  switch?(head: ResponseHead, service: Socket, rest: Buffer, traffic: Traffic | undefined): void;
  /** Ends an answer so that nobody can take it for a complete one. */
  break(): void;
}
