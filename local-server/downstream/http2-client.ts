/** A request that came over HTTP/2: one stream of a connection. */
import { randomBytes } from "node:crypto";
import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { endToEnd, type Fields, type FieldsCache } from "../http/fields.ts";
import { http2Fields, sendHead, splitPseudo } from "../http/http2-fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import { expectLateWrite, rawHeaderLines } from "../node-internals.ts";
import type { Client, DownstreamResponse, RequestBodyReader } from "./client.ts";
import { type SplicedPair, splice, type TunnelledTraffic } from "./splice.ts";

export class Http2Client implements Client {
  readonly protocol = "HTTP/2";
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly fields: Fields;
  readonly secure: boolean;
  readonly hasBody: boolean;
  readonly upgrade: string | undefined;
  onGone = () => {};
  onDrain = () => {};
  readonly #stream: ServerHttp2Stream;
  #ended = false;
  #trailers: string[] = [];

  /** `raw`: name, value, name, value…, pseudo-headers included. */
  constructor(stream: ServerHttp2Stream, raw: string[], cache: FieldsCache) {
    this.#stream = stream;
    const { pseudo, headers } = splitPseudo(raw);
    this.upgrade = pseudo[":protocol"];
    // RFC 8441: an extended CONNECT corresponds to a GET with Upgrade and a key in HTTP/1.1.
    this.method = this.upgrade === undefined ? (pseudo[":method"] ?? "") : "GET";
    if (this.upgrade !== undefined) headers.push("sec-websocket-key", randomBytes(16).toString("base64"));
    this.fields = cache.intern(headers);
    this.host = pseudo[":authority"] ?? this.fields.get("host") ?? "";
    this.target = pseudo[":path"] ?? "";
    this.secure = stream.session?.encrypted ?? false;
    this.hasBody = this.upgrade === undefined && !stream.endAfterHeaders;
    stream.on("drain", () => this.onDrain());
    // 'close' follows every error.
    stream.on("error", () => {});
    stream.on("close", () => {
      if (!this.#ended) this.onGone();
    });
  }

  header(name: string): string | undefined {
    return this.fields.get(name);
  }

  read(body: RequestBodyReader): void {
    const stream = this.#stream;
    let trailers: string[] = [];
    stream.on("trailers", (headers, _flags, raw?: string[]) => {
      trailers = rawHeaderLines(headers, raw);
    });
    stream.on("data", (chunk: Buffer) => body.data(chunk));
    stream.on("end", () => {
      // A reset ends the readable side as well.
      if (!stream.aborted) body.end(trailers);
    });
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  inform(status: number, headers: string[]): void {
    if (this.#stream.destroyed || this.#stream.headersSent) return;
    this.#stream.additionalHeaders({ ":status": status, ...http2Fields(headers) });
  }

  respond({ status, headers, hasBody, length }: DownstreamResponse): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    const waitForTrailers = hasBody && length === undefined;
    if (waitForTrailers) stream.on("wantTrailers", () => stream.sendTrailers(http2Fields(this.#trailers)));
    // In gRPC a response is complete with its head only when that ends the stream ("Trailers-Only").
    const endStream = !hasBody || length === 0;
    if (endStream) this.#ended = true;
    const options = { endStream, waitForTrailers, sendDate: false };
    sendHead(stream, status, headers, options);
  }

  /** `respond` has sent the head. */
  flush(): void {}

  write(chunk: Buffer, done: () => void): boolean {
    const stream = this.#stream;
    if (stream.destroyed) {
      done();
      return true;
    }
    return stream.write(chunk, () => {
      expectLateWrite(stream);
      done();
    });
  }

  end(trailers: string[]): void {
    this.#ended = true;
    this.#trailers = trailers;
    if (!this.#stream.writableEnded) this.#stream.end();
  }

  switch(
    { fields }: ResponseHead,
    service: Socket,
    rest: Buffer,
    traffic: TunnelledTraffic | undefined,
  ): SplicedPair | undefined {
    this.onGone = () => {};
    const stream = this.#stream;
    if (stream.destroyed) {
      service.destroy();
      return undefined;
    }
    const { "sec-websocket-accept": _, ...headers } = http2Fields(endToEnd(fields));
    stream.respond({ ":status": 200, ...headers }, { endStream: false });
    if (rest.length > 0) {
      traffic?.service(rest);
      stream.write(rest);
    }
    return splice(stream, service, this.upgrade === "websocket", traffic);
  }

  break(): void {
    this.#ended = true;
    // `close(code)` would end the body cleanly before resetting the stream.
    this.#stream.destroy(new Error("The service aborted its response."));
  }
}
