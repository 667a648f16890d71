/** A request that came over HTTP/2: one stream of a connection. */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { endToEnd, type Fields, type FieldsCache } from "../http/fields.ts";
import { HTTP2_SETTINGS } from "../http/limits.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { FrameWriter } from "../http2/frame-writer.ts";
import { ErrorCode, FRAME_SIZE } from "../http2/frames.ts";
import { encodeHead, encodeLines, type HeadEncoder } from "../http2/hpack-encoder.ts";
import type { RequestSection } from "../http2/request-head.ts";
import type { NumberedStream } from "../http2/stream-table.ts";
import type { Client, DownstreamResponse, RequestBodyReader } from "./client.ts";
import { type SplicedPair, splice, type TunnelledTraffic } from "./splice.ts";
import { TunnelStream } from "./tunnel-stream.ts";

/** What a stream needs of its connection. */
export interface StreamConnection {
  /** The client speaks TLS. */
  readonly secure: boolean;
  readonly cache: FieldsCache;
  readonly encoder: HeadEncoder;
  readonly frames: FrameWriter;
  /** Bytes of DATA that the client takes in all streams together. */
  window: number;
  /** Some streams wait to send, so that the others wait behind them. */
  readonly isBusy: boolean;
  /** This one has bytes to send. */
  waits(stream: Http2Client): void;
  sendReset(stream: number, code: number): void;
  /** `size` bytes of DATA have been handed on or dropped: the client may send as many more. */
  consumed(size: number): void;
  closed(stream: Http2Client): void;
}

/** A piece of the response's body that waits. */
interface WaitingChunk {
  chunk: Buffer;
  /** Bytes of it that are sent. */
  sent: number;
  done: () => void;
}

const WINDOW = HTTP2_SETTINGS.initialWindowSize;
/** Held pieces of a request's body are joined up to this size: a million of single bytes would take 200 MB. */
const JOINED = 4_096;

export class Http2Client implements Client, NumberedStream<Http2Client> {
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

  readonly id: number;
  next: Http2Client | undefined;
  /** It is in the row of streams that wait to send. */
  isQueued = false;
  /** Bytes of DATA that the client takes; below zero when it has taken some back. */
  window: number;
  readonly #connection: StreamConnection;
  #remoteEnded: boolean;
  #localEnded = false;
  #closed = false;

  #reader: RequestBodyReader | undefined;
  #paused = false;
  /** Pieces of the request's body that are not handed over yet, and its trailers, when it is complete. */
  #held: Buffer[] = [];
  #trailers: string[] | undefined;
  /** Bytes of the body still to come, where the client has said it. */
  #expected: number | undefined;
  /** Bytes of DATA that the client may still send, and those that it gets back with the next update. */
  #receiveWindow: number = WINDOW;
  #consumed = 0;

  #headSent = false;
  /** The response is given to its end, or broken off. */
  #given = false;
  /** Bytes of its body still to be sent, where its length is known. */
  #left = Number.POSITIVE_INFINITY;
  #waiting: WaitingChunk[] = [];
  /** The header block behind its body; undefined until it is given to its end. */
  #end: Buffer | undefined;
  #tunnel: TunnelStream | undefined;

  /** `ends`: the request ends with its head. `window`: bytes of DATA that the client takes. */
  constructor(
    id: number,
    connection: StreamConnection,
    section: RequestSection,
    ends: boolean,
    window: number,
  ) {
    const { lines, method = "", authority, path = "", protocol, length } = section;
    this.id = id;
    this.#connection = connection;
    this.window = window;
    this.upgrade = protocol;
    // RFC 8441: an extended CONNECT corresponds to a GET with Upgrade and a key in HTTP/1.1.
    this.method = protocol === undefined ? method : "GET";
    if (protocol !== undefined) lines.push("sec-websocket-key", randomBytes(16).toString("base64"));
    this.fields = connection.cache.intern(lines);
    this.host = authority ?? this.fields.get("host") ?? "";
    this.target = path;
    this.secure = connection.secure;
    this.hasBody = protocol === undefined && !ends;
    this.#expected = length;
    this.#remoteEnded = ends;
    if (ends) this.#trailers = [];
  }

  header(name: string): string | undefined {
    return this.fields.get(name);
  }

  // The request.

  /** The client has ended its side. */
  get remoteEnded(): boolean {
    return this.#remoteEnded;
  }

  /** Takes a DATA frame's payload; `size` includes its padding. Returns the code of the error, if it is one. */
  receive(bytes: Buffer, size: number): number | undefined {
    this.#receiveWindow -= size;
    if (this.#expected !== undefined) this.#expected -= bytes.length;
    const isTooLong = this.#expected !== undefined && this.#expected < 0;
    if (this.#receiveWindow < 0 || isTooLong) {
      this.#connection.consumed(size);
      return isTooLong ? ErrorCode.PROTOCOL_ERROR : ErrorCode.FLOW_CONTROL_ERROR;
    }
    this.#release(size - bytes.length);
    if (bytes.length === 0) return undefined;
    if (this.#reader && !this.#paused) {
      this.#release(bytes.length);
      this.#reader.data(bytes);
    } else this.#hold(bytes);
    return undefined;
  }

  /** The client ends its side, with these trailers. Returns the code of the error, if it is one. */
  receiveEnd(trailers: string[]): number | undefined {
    // What it has brought before may have led to the end.
    if (this.#closed) return undefined;
    if (this.#expected !== undefined && this.#expected > 0) return ErrorCode.PROTOCOL_ERROR;
    this.#remoteEnded = true;
    this.#trailers = trailers;
    this.#handOver();
    if (this.#localEnded) this.#close();
    return undefined;
  }

  read(reader: RequestBodyReader): void {
    this.#reader = reader;
    this.#handOver();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#handOver();
  }

  /** Copies them: each piece would keep all of the chunk that it came in, up to 64 KB. */
  #hold(bytes: Buffer): void {
    const last = this.#held.at(-1);
    if (last && last.length + bytes.length <= JOINED)
      this.#held[this.#held.length - 1] = Buffer.concat([last, bytes]);
    else {
      const copy = Buffer.allocUnsafeSlow(bytes.length);
      bytes.copy(copy);
      this.#held.push(copy);
    }
  }

  #handOver(): void {
    const reader = this.#reader;
    if (!reader) return;
    while (this.#held.length > 0 && !this.#paused) {
      const bytes = this.#held.shift()!;
      this.#release(bytes.length);
      reader.data(bytes);
    }
    const trailers = this.#trailers;
    if (!trailers || this.#held.length > 0 || this.#paused) return;
    this.#trailers = undefined;
    reader.end(trailers);
  }

  /** The client may send as many bytes more. */
  #release(size: number): void {
    this.#connection.consumed(size);
    this.#consumed += size;
    if (this.#remoteEnded || this.#consumed < WINDOW / 2) return;
    this.#connection.frames.windowUpdate(this.id, this.#consumed);
    this.#receiveWindow += this.#consumed;
    this.#consumed = 0;
  }

  // The response.

  inform(status: number, headers: string[]): void {
    if (this.#closed || this.#headSent) return;
    this.#connection.frames.headers(this.id, encodeHead(status, headers), false);
  }

  respond({ status, headers, hasBody, length }: DownstreamResponse): void {
    if (this.#closed) return;
    // In gRPC a response is complete with its head only when that ends the stream ("Trailers-Only").
    const ends = !hasBody || length === 0;
    const { frames, encoder } = this.#connection;
    frames.headers(this.id, encoder.encode(status, headers), ends);
    this.#headSent = true;
    this.#left = length ?? Number.POSITIVE_INFINITY;
    if (ends) this.#endLocal();
  }

  /** `respond` has sent the head. */
  flush(): void {}

  write(chunk: Buffer, done: () => void): boolean {
    let sent = 0;
    if (this.#waiting.length === 0 && !this.#connection.isBusy) sent = this.#send(chunk, 0, chunk.length);
    if (sent === chunk.length || this.#localEnded || this.#closed) {
      done();
      return true;
    }
    this.#waiting.push({ chunk, sent, done });
    this.#connection.waits(this);
    return false;
  }

  end(trailers: string[]): void {
    this.#given = true;
    if (this.#localEnded || this.#closed) return;
    this.#end = encodeLines(trailers);
    if (this.#waiting.length === 0) this.#sendEnd(this.#end);
  }

  break(): void {
    this.#given = true;
    this.reset(ErrorCode.INTERNAL_ERROR);
  }

  /** It has bytes to send, and the client takes some of them. */
  get canSend(): boolean {
    return this.#waiting.length > 0 && this.window > 0;
  }

  /** Sends one frame of what waits. */
  takeTurn(): void {
    const [next] = this.#waiting;
    if (!next) return;
    next.sent = this.#send(next.chunk, next.sent, Math.min(next.chunk.length, next.sent + FRAME_SIZE));
    if (this.#localEnded || next.sent < next.chunk.length) return;
    this.#waiting.shift();
    next.done();
    if (this.#waiting.length > 0 || this.#closed) return;
    if (this.#end) this.#sendEnd(this.#end);
    else this.onDrain();
  }

  /** Sends these bytes as far as there is room and the client takes them. Returns up to where. */
  #send(chunk: Buffer, from: number, to: number): number {
    const connection = this.#connection;
    const { frames } = connection;
    let at = from;
    while (at < to && !this.#localEnded && !this.#closed) {
      const allowed = Math.min(this.window, connection.window, frames.output.room, this.#left);
      const size = Math.min(to - at, FRAME_SIZE, allowed);
      if (size <= 0) break;
      this.window -= size;
      connection.window -= size;
      this.#left -= size;
      frames.data(this.id, chunk, at, at + size, this.#left === 0);
      at += size;
      if (this.#left === 0) this.#endLocal();
    }
    return at;
  }

  #sendEnd(trailers: Buffer): void {
    // Shorter than its length, it must not look complete.
    if (this.#left !== Number.POSITIVE_INFINITY) {
      this.break();
      return;
    }
    const { frames } = this.#connection;
    if (trailers.length > 0) frames.headers(this.id, trailers, true);
    else frames.end(this.id);
    this.#endLocal();
  }

  #endLocal(): void {
    this.#given = true;
    this.#localEnded = true;
    this.#drop();
    if (this.#remoteEnded) this.#close();
    // Nobody wants the rest of the request.
    else if (!this.#reader) this.reset(ErrorCode.NO_ERROR);
  }

  switch(
    { fields }: ResponseHead,
    service: Socket,
    rest: Buffer,
    traffic: TunnelledTraffic | undefined,
  ): SplicedPair | undefined {
    if (this.#closed) {
      service.destroy();
      return undefined;
    }
    const headers = endToEnd(fields);
    const accept = headers.findIndex(
      (name, i) => i % 2 === 0 && name.toLowerCase() === "sec-websocket-accept",
    );
    if (accept !== -1) headers.splice(accept, 2);
    this.onGone = () => {};
    this.respond({ status: 200, reason: "", headers, hasBody: true, length: undefined });
    this.#tunnel = new TunnelStream(this);
    if (rest.length > 0) {
      traffic?.service(rest);
      this.#tunnel.write(rest);
    }
    return splice(this.#tunnel, service, this.upgrade === "websocket", traffic);
  }

  // The end of the stream.

  /** Ends it at once, and tells the client. */
  reset(code: number): void {
    if (!this.#closed) this.#connection.sendReset(this.id, code);
    this.gone();
  }

  /** It has ended before its time. */
  gone(): void {
    this.#dropHeld();
    if (this.#closed) return;
    this.#close();
    this.#tunnel?.destroy();
    if (!this.#given) this.onGone();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drop();
    if (!this.#reader) this.#dropHeld();
    this.#connection.closed(this);
  }

  /** Nobody reads what is left of the request's body: other streams may have its share of the connection's window. */
  #dropHeld(): void {
    let size = 0;
    for (const bytes of this.#held) size += bytes.length;
    this.#connection.consumed(size);
    this.#held = [];
    this.#trailers = undefined;
  }

  /** What waits to be sent is not needed any more. */
  #drop(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const { done } of waiting) done();
  }
}
