/** A stream of an HTTP/2 connection to a service. */
import { STATUS_CODES } from "node:http";
import type {
  ClientHttp2Stream,
  ClientSessionRequestOptions,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
  OutgoingHttpHeaders,
} from "node:http2";
import { HOP_ID_HEADER } from "../../core/routing/proxy-headers.ts";
import { Fields } from "../http/fields.ts";
import { http2Fields, sendFields, splitPseudo } from "../http/http2-fields.ts";
import { NotHttp2Error } from "../http/protocol-errors.ts";
import { mayHaveBody } from "../http/response-parser.ts";
import { rawHeaderLines } from "../node-internals.ts";
import type { ResponseHandler, UpstreamRequest, UpstreamStream } from "./upstream-stream.ts";

type Head = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** RFC 9113, 7 and 6.1; as constants of node:http2 they would load it at the start. */
const NO_ERROR = 0x0;
const CANCEL = 0x8;
const END_STREAM = 0x1;

/** The connection that a stream belongs to. */
export interface StreamOwner {
  /** It has carried a request before. */
  readonly used: boolean;
  /** The service has sent its settings: it speaks HTTP/2. */
  readonly settled: boolean;
  /** Begins a stream. Throws when the connection takes none any more. */
  open(headers: OutgoingHttpHeaders, options: ClientSessionRequestOptions): ClientHttp2Stream;
  /** The service wants this request over HTTP/1.1 (RFC 9113, 7: HTTP_1_1_REQUIRED). */
  http1Required(): void;
}

export class Http2Stream implements UpstreamStream {
  readonly #connection: StreamOwner;
  /** The connection has carried a request before. */
  readonly #used: boolean;
  #stream: ClientHttp2Stream | undefined;
  #handler: ResponseHandler | undefined;
  #finished = false;
  #sawBytes = false;
  /** Body chunks that came before the head: under load node:http2 emits them in this order. Undefined once the head is there. */
  #early: Buffer[] | undefined = [];
  /** Bytes of the body still to come; NaN when its length is unknown. */
  #missing = Number.NaN;
  #responseTrailers: string[] = [];
  #requestTrailers: string[] = [];

  constructor(connection: StreamOwner) {
    this.#connection = connection;
    this.#used = connection.used;
  }

  request(request: UpstreamRequest, handler: ResponseHandler): void {
    this.#handler = handler;
    const { method, body } = request;
    const options = { endStream: body === "none", waitForTrailers: body === "chunked" };
    let stream: ClientHttp2Stream;
    try {
      stream = sendFields(http2Headers(request), (headers) => this.#connection.open(headers, options));
    } catch (error) {
      // The connection has ended since it was chosen.
      process.nextTick(() => this.#fail(error as Error));
      return;
    }
    this.#stream = stream;
    stream.on("headers", (headers: Head, _flags: number, raw?: string[]) => {
      this.#sawBytes = true;
      this.#handler?.information(
        headers[":status"] ?? 0,
        new Fields(splitPseudo(rawHeaderLines(headers, raw)).headers),
      );
    });
    stream.on("response", (headers, flags, raw?: string[]) => {
      this.#respond(method, headers, flags, rawHeaderLines(headers, raw));
    });
    stream.on("data", (chunk: Buffer) => {
      if (this.#early) this.#early.push(chunk);
      else this.#data(chunk);
    });
    stream.on("trailers", (headers: Head, _flags: number, raw?: string[]) => {
      this.#responseTrailers = rawHeaderLines(headers, raw);
    });
    stream.on("end", () => {
      // A reset ends the readable side as well; one with NO_ERROR differs from an end only by the missing bytes.
      if (!stream.aborted && !stream.rstCode && !(this.#missing > 0)) this.#end();
    });
    stream.on("drain", () => this.#handler?.drained());
    stream.on("wantTrailers", () => stream.sendTrailers(http2Fields(this.#requestTrailers)));
    stream.on("error", (error) => this.#fail(error));
    stream.on("close", () =>
      this.#fail(new Error("it closed the connection before its response was complete")),
    );
  }

  write(chunk: Buffer): boolean {
    return !this.#stream?.writable || this.#stream.write(chunk);
  }

  finish(trailers: string[]): void {
    this.#finished = true;
    this.#requestTrailers = trailers;
    this.#stream?.end();
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  abort(): void {
    this.#handler = undefined;
    this.#stream?.close(CANCEL);
  }

  #respond(method: string, headers: Head, flags: number, raw: string[]): void {
    this.#sawBytes = true;
    const status = headers[":status"] ?? 0;
    const length = headers["content-length"];
    const ends = (flags & END_STREAM) !== 0;
    const hasBody = mayHaveBody(method, status);
    if (hasBody && length !== undefined) this.#missing = Number(length);
    this.#handler?.head({
      status,
      reason: STATUS_CODES[status] ?? "",
      fields: new Fields(splitPseudo(raw).headers),
      hasBody,
      length: length === undefined ? (ends ? 0 : undefined) : Number(length),
    });
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const chunk of early) this.#data(chunk);
    // By then the first piece of the body is here, if it came with the head.
    setImmediate(() => this.#handler?.caughtUp());
  }

  #data(chunk: Buffer): void {
    this.#missing -= chunk.length;
    this.#handler?.data(chunk, () => {});
  }

  #end(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    // A service that has responded in full does not need the rest of the request.
    if (!this.#finished) this.#stream?.close(NO_ERROR);
    handler?.end(this.#responseTrailers);
  }

  #fail(error: Error): void {
    const handler = this.#handler;
    this.#handler = undefined;
    const code = /NGHTTP2_(\w+)/.exec(error.message)?.[1];
    if (code === "HTTP_1_1_REQUIRED") this.#connection.http1Required();
    // A request that its connection refused was not processed (RFC 9113, 8.7).
    const refused = code === "REFUSED_STREAM" || code === "HTTP_1_1_REQUIRED";
    const stale = !this.#sawBytes && (this.#used || refused);
    if (!this.#connection.settled) handler?.failed(new NotHttp2Error(), stale);
    else handler?.failed(code ? new Error(`it aborted its response (HTTP/2 error ${code})`) : error, stale);
  }
}

/** RFC 9113, 8.2.2 and 8.3.1: hop-by-hop lines have no place in HTTP/2, and the host is a pseudo-header. */
function http2Headers(request: UpstreamRequest): OutgoingHttpHeaders {
  const { origin, method, target, host, lines, traceparent, hop, acceptsTrailers } = request;
  return {
    ":method": method,
    ":scheme": origin.slice(0, origin.indexOf(":")),
    ":authority": host,
    ":path": target,
    ...http2Fields(lines.raw(traceparent)),
    ...(hop === undefined ? {} : { [HOP_ID_HEADER]: hop }),
    ...(acceptsTrailers ? { te: "trailers" } : {}),
  };
}
