/** The downstream side of one request: the same for HTTP/1.1 and HTTP/2. */

import type { Socket } from "node:net";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import type { Fields } from "../http/fields.ts";
import type { LocalFailure } from "../http/local-failures.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { SplicedPair, TunnelledTraffic } from "./splice.ts";

export interface RequestBodyReader {
  data(chunk: Buffer): void;
  /** `trailers` as name, value, name, value… */
  end(trailers: string[]): void;
}

/** The head of a response to the client. `headers`: end-to-end lines as name, value, name, value… */
export interface DownstreamResponse {
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
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";
  /** The client has disconnected before its response was complete. Called at most once. */
  onGone: () => void;
  /** The response may go on after `write` was false. */
  onDrain: () => void;

  /** Begins to hand over the request's body. */
  read(body: RequestBodyReader): void;
  pause(): void;
  resume(): void;

  /** 100, 102 or 103. */
  inform(status: number, headers: string[]): void;
  respond(response: DownstreamResponse): void;
  /** Sends the head, if it is held back for the first bytes of the body. */
  flush(): void;
  /** False when the caller should wait for `onDrain`. `done` is called when the bytes are not needed any more. */
  write(chunk: Buffer, done: () => void): boolean;
  end(trailers: string[]): void;
  /** The service has switched protocols: from here on bytes are carried, not HTTP. Only with `upgrade`. Undefined when the client has gone. */
  switch?(
    head: ResponseHead,
    service: Socket,
    rest: Buffer,
    traffic: TunnelledTraffic | undefined,
  ): SplicedPair | undefined;
  /** Ends a response so that it cannot be taken for a complete one. */
  break(): void;
}

/** Takes a request, with the failure when it has to be refused. */
export type ServeClient = (client: Client, refusal?: LocalFailure) => void;
