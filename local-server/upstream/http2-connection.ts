/** One request to a service that speaks HTTP/2: a stream of its connection. */
import { STATUS_CODES } from "node:http";
import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { Fields } from "../http/fields.ts";
import { http2Fields, sendFields, splitPseudo } from "../http/http2-fields.ts";
import { mayHaveBody } from "../http/response-parser.ts";
import type { Answer, Connection, SentRequest } from "./connection.ts";
import { http2Head } from "./http2-head.ts";
import type { Http2Session } from "./http2-session.ts";

type Head = IncomingHttpHeaders & IncomingHttpStatusHeader;

export class Http2Connection implements Connection {
  readonly #session: Http2Session;
  /** The connection has carried a request before. */
  readonly #used: boolean;
  #stream: ClientHttp2Stream | undefined;
  #answer: Answer | undefined;
  #finished = false;
  #sawBytes = false;
  /** What came of the body before its head: under load node:http2 tells of them in this order. Undefined once the head is there. */
  #early: Buffer[] | undefined = [];
  /** Bytes of the body still to come; not a number when its length is not known. */
  #missing = Number.NaN;
  #trailers: string[] = [];
  /** Of the request. */
  #sentTrailers: string[] = [];

  constructor(session: Http2Session) {
    this.#session = session;
    this.#used = session.used;
  }

  request(request: SentRequest, answer: Answer): void {
    this.#answer = answer;
    const { method, body } = request;
    const options = { endStream: body === "none", waitForTrailers: body === "chunked" };
    let stream: ClientHttp2Stream;
    try {
      stream = sendFields(http2Head(request), (headers) => this.#session.open(headers, options));
    } catch (error) {
      // It has ended since it was handed over.
      process.nextTick(() => this.#fail(error as Error));
      return;
    }
    this.#stream = stream;
    stream.on("headers", (headers: Head, _flags: number, raw: string[]) => {
      this.#sawBytes = true;
      this.#answer?.information(headers[":status"] ?? 0, new Fields(splitPseudo(raw).headers));
    });
    stream.on("response", (headers, flags, raw?: string[]) => {
      this.#respond(method, headers, flags, raw ?? []);
    });
    stream.on("data", (chunk: Buffer) => {
      if (this.#early) this.#early.push(chunk);
      else this.#data(chunk);
    });
    stream.on("trailers", (_headers: Head, _flags: number, raw?: string[]) => {
      this.#trailers = raw ?? [];
    });
    stream.on("end", () => {
      // A reset ends the readable side as well; one with NO_ERROR looks like an end, but for what is missing.
      if (!stream.aborted && !stream.rstCode && !(this.#missing > 0)) this.#end();
    });
    stream.on("drain", () => this.#answer?.drained());
    stream.on("wantTrailers", () => stream.sendTrailers(http2Fields(this.#sentTrailers)));
    stream.on("error", (error) => this.#fail(error));
    stream.on("close", () =>
      this.#fail(new Error("it closed the connection before its answer was complete")),
    );
  }

  write(chunk: Buffer): boolean {
    return !this.#stream?.writable || this.#stream.write(chunk);
  }

  finish(trailers: string[]): void {
    this.#finished = true;
    this.#sentTrailers = trailers;
    this.#stream?.end();
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  abort(): void {
    this.#answer = undefined;
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  #respond(method: string, headers: Head, flags: number, raw: string[]): void {
    this.#sawBytes = true;
    const status = headers[":status"] ?? 0;
    const length = headers["content-length"];
    const ends = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const hasBody = mayHaveBody(method, status);
    if (hasBody && length !== undefined) this.#missing = Number(length);
    this.#answer?.head({
      status,
      reason: STATUS_CODES[status] ?? "",
      fields: new Fields(splitPseudo(raw).headers),
      hasBody,
      length: length === undefined ? (ends ? 0 : undefined) : Number(length),
    });
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const chunk of early) this.#data(chunk);
    // The first piece of the body is there already, or is not waited for.
    setImmediate(() => this.#answer?.caughtUp());
  }

  #data(chunk: Buffer): void {
    this.#missing -= chunk.length;
    this.#answer?.data(chunk, () => {});
  }

  #end(): void {
    const answer = this.#answer;
    this.#answer = undefined;
    // Whoever has answered is not sent the rest.
    if (!this.#finished) this.#stream?.close(constants.NGHTTP2_NO_ERROR);
    answer?.end(this.#trailers);
  }

  #fail(error: Error): void {
    const answer = this.#answer;
    this.#answer = undefined;
    const code = /NGHTTP2_(\w+)/.exec(error.message)?.[1];
    if (code === "HTTP_1_1_REQUIRED") this.#session.http1Required();
    // Refused by its connection, no service has seen it (RFC 9113, 8.7).
    const refused = code === "REFUSED_STREAM" || code === "HTTP_1_1_REQUIRED";
    const stale = !this.#sawBytes && (this.#used || refused);
    answer?.failed(code ? new Error(`it broke off its answer (HTTP/2 error ${code})`) : error, stale);
  }
}
