/** Parses the HTTP/1.1 responses of one connection. */
import { FieldParser, parseFields } from "./field-parser.ts";
import { Fields } from "./fields.ts";
import { MAX_HEADER_SIZE } from "./limits.ts";
import { Http2Response, MalformedResponse } from "./protocol-errors.ts";

export interface ResponseHead {
  status: number;
  reason: string;
  fields: Fields;
  /** Status line and header lines, as HTTP/1 wrote them. */
  text?: string;
  /** False for responses that never have a body: to HEAD, 204, 304. */
  hasBody: boolean;
  /** The body's length in bytes, when the service announced it. */
  length: number | undefined;
}

export interface ResponseReader {
  /** An interim response: 100, 102, 103. */
  information(status: number, fields: Fields): void;
  head(head: ResponseHead): void;
  data(chunk: Buffer): void;
  /** Complete. `trailers` as name, value, name, value… */
  end(trailers: string[]): void;
  /** 101: from here on the connection is not HTTP any more; `rest` is what came right behind the head. */
  switched(head: ResponseHead, rest: Buffer): void;
}

/** The parts of a request that decide how its response is parsed. */
export interface ResponseContext {
  method: string;
  upgrade: boolean;
}

const HEAD = 0;
const LENGTH = 1;
const CHUNK_SIZE = 2;
const CHUNK_DATA = 3;
const CHUNK_END = 4;
const TRAILERS = 5;
const UNTIL_CLOSE = 6;
const IDLE = 7;
const SWITCHED = 8;

export class ResponseParser {
  #state = IDLE;
  #context: ResponseContext = { method: "GET", upgrade: false };
  readonly #reader: ResponseReader;
  readonly #fieldParser = new FieldParser();
  /** Bytes of a head, line or trailer section whose end has not come yet. */
  #pending: Buffer | undefined;
  /** Bytes of the body or chunk still to come. */
  #remaining = 0;
  #reusable = false;
  #sawBytes = false;

  constructor(reader: ResponseReader) {
    this.#reader = reader;
  }

  /** True between responses, when the connection can carry another request. */
  get reusable(): boolean {
    return this.#state === IDLE && this.#reusable;
  }

  /** True when the connection is not HTTP any more. */
  get switched(): boolean {
    return this.#state === SWITCHED;
  }

  /** True once a byte of the current response has come. */
  get sawBytes(): boolean {
    return this.#sawBytes;
  }

  start(context: ResponseContext): void {
    this.#state = HEAD;
    this.#context = context;
    this.#pending = undefined;
    this.#sawBytes = false;
  }

  /** Throws MalformedResponse, after which the connection is useless. */
  feed(chunk: Buffer): void {
    this.#sawBytes = true;
    let rest = chunk;
    while (rest.length > 0) {
      switch (this.#state) {
        case HEAD:
          rest = this.#feedHead(rest);
          break;
        case LENGTH:
        case CHUNK_DATA:
          rest = this.#feedCounted(rest);
          break;
        case CHUNK_SIZE:
          rest = this.#feedChunkSize(rest);
          break;
        case CHUNK_END:
          rest = this.#feedChunkEnd(rest);
          break;
        case TRAILERS:
          rest = this.#feedTrailers(rest);
          break;
        case UNTIL_CLOSE:
          this.#reader.data(rest);
          return;
        default:
          // Unsolicited bytes: the next response could not be told from them.
          this.#reusable = false;
          return;
      }
    }
  }

  /** The connection has ended cleanly. */
  finish(): void {
    if (this.#state === UNTIL_CLOSE) this.#end([]);
  }

  #feedHead(chunk: Buffer): Buffer {
    const bytes = this.#join(chunk);
    const end = bytes.indexOf("\r\n\r\n");
    if (end === -1) {
      if (bytes.length >= 8 && bytes.toString("latin1", 0, 5) !== "HTTP/") throw notHttp(bytes);
      if (bytes.includes("\n\n")) throw new MalformedResponse("its header lines end with LF alone");
      this.#keep(bytes);
      return EMPTY;
    }
    if (end > MAX_HEADER_SIZE) throw new MalformedResponse("its header section is larger than 128 KB");
    this.#pending = undefined;
    return this.#readHead(bytes.toString("latin1", 0, end), bytes.subarray(end + 4));
  }

  #readHead(text: string, rest: Buffer): Buffer {
    const line = text.indexOf("\r\n");
    const match = STATUS_LINE.exec(line === -1 ? text : text.slice(0, line));
    if (!match) throw notHttp(Buffer.from(text, "latin1"));
    const status = Number(match[2]);
    const fields = line === -1 ? new Fields([]) : this.#fieldParser.parse(text, line + 2);
    const reason = match[3] ?? "";

    if (status === 101) {
      if (!this.#context.upgrade) throw new MalformedResponse("it switched protocols without being asked to");
      this.#state = SWITCHED;
      this.#reader.switched({ status, reason, fields, text, hasBody: false, length: undefined }, rest);
      return EMPTY;
    }
    if (status < 200) {
      this.#reader.information(status, fields);
      return rest;
    }

    const head: ResponseHead = { status, reason, fields, text, hasBody: true, length: undefined };
    const closes = fields.has("connection") && fields.list("connection").includes("close");
    this.#reusable = match[1] === "1" && !closes && !this.#context.upgrade;
    this.#state = this.#framing(head);
    this.#reader.head(head);
    if (this.#state === IDLE || (this.#state === LENGTH && this.#remaining === 0)) this.#end([]);
    return rest;
  }

  /** RFC 9112, 6.3: how long the body is. */
  #framing(head: ResponseHead): number {
    const { status, fields } = head;
    const lengths = fields.has("content-length") ? fields.list("content-length") : undefined;
    if (lengths) {
      const [length = ""] = lengths;
      if (lengths.some((other) => other !== length) || !/^\d{1,15}$/.test(length))
        throw new MalformedResponse(`its Content-Length is ${JSON.stringify(fields.get("content-length"))}`);
      head.length = Number(length);
    }
    // "identity" is none at all (RFC 2616, 3.6): old servers say so.
    const codings = fields.has("transfer-encoding")
      ? fields.list("transfer-encoding").filter((coding) => coding !== "identity")
      : [];
    if (codings.length > 0 && lengths)
      throw new MalformedResponse("it has both Content-Length and Transfer-Encoding");
    if (!mayHaveBody(this.#context.method, status)) {
      head.hasBody = false;
      return IDLE;
    }
    if (codings.length > 0) {
      if (codings.length === 1 && codings[0] === "chunked") return CHUNK_SIZE;
      throw new MalformedResponse(`its Transfer-Encoding is ${JSON.stringify(codings.join(", "))}`);
    }
    if (head.length !== undefined) {
      this.#remaining = head.length;
      return LENGTH;
    }
    this.#reusable = false;
    return UNTIL_CLOSE;
  }

  #feedCounted(chunk: Buffer): Buffer {
    const part = chunk.length <= this.#remaining ? chunk : chunk.subarray(0, this.#remaining);
    this.#remaining -= part.length;
    this.#reader.data(part);
    if (this.#remaining === 0) {
      if (this.#state === CHUNK_DATA) this.#state = CHUNK_END;
      else this.#end([]);
    }
    return part === chunk ? EMPTY : chunk.subarray(part.length);
  }

  #feedChunkSize(chunk: Buffer): Buffer {
    const bytes = this.#join(chunk);
    const end = bytes.indexOf("\r\n");
    if (end === -1) {
      this.#keep(bytes);
      return EMPTY;
    }
    this.#pending = undefined;
    const match = CHUNK_LINE.exec(bytes.toString("latin1", 0, end));
    if (!match) throw new MalformedResponse("its chunked body has a chunk without a size");
    this.#remaining = Number.parseInt(match[1]!, 16);
    this.#state = this.#remaining === 0 ? TRAILERS : CHUNK_DATA;
    return bytes.subarray(end + 2);
  }

  #feedChunkEnd(chunk: Buffer): Buffer {
    const bytes = this.#join(chunk);
    if (bytes.length < 2) {
      this.#keep(bytes);
      return EMPTY;
    }
    if (bytes[0] !== 13 || bytes[1] !== 10)
      throw new MalformedResponse("its chunked body has a chunk that is longer than its size");
    this.#pending = undefined;
    this.#state = CHUNK_SIZE;
    return bytes.subarray(2);
  }

  #feedTrailers(chunk: Buffer): Buffer {
    const bytes = this.#join(chunk);
    if (bytes.length < 2) {
      this.#keep(bytes);
      return EMPTY;
    }
    const none = bytes[0] === 13 && bytes[1] === 10;
    const end = none ? 0 : bytes.indexOf("\r\n\r\n");
    if (end === -1) {
      this.#keep(bytes);
      return EMPTY;
    }
    this.#pending = undefined;
    this.#end(none ? [] : parseFields(bytes.toString("latin1", 0, end)));
    return bytes.subarray(end + (none ? 2 : 4));
  }

  #end(trailers: string[]): void {
    this.#state = IDLE;
    this.#reader.end(trailers);
  }

  #join(chunk: Buffer): Buffer {
    return this.#pending ? Buffer.concat([this.#pending, chunk]) : chunk;
  }

  #keep(bytes: Buffer): void {
    if (bytes.length > MAX_HEADER_SIZE)
      throw new MalformedResponse("its header section is larger than 128 KB");
    // The chunk's memory is used again by its owner.
    this.#pending = Buffer.from(bytes);
  }
}

const EMPTY = Buffer.alloc(0);
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
/**
 * RFC 9112, 7.1.1: extensions are read past, but only those of the grammar. Some servers write sizes of a fixed number of
 * digits.
 */
const CHUNK_LINE =
  /^(0{0,100}[0-9a-fA-F]{1,12})[ \t]*(?:;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*(?:=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*")[ \t]*)?)*$/;
/** RFC 9110, 6.4.1. */
export function mayHaveBody(method: string, status: number): boolean {
  return method !== "HEAD" && status !== 204 && status !== 304;
}

function notHttp(bytes: Buffer): MalformedResponse {
  if (isSettingsFrame(bytes)) return new Http2Response();
  return new MalformedResponse(
    `its response is not valid HTTP/1.1: ${JSON.stringify(bytes.toString("latin1", 0, 60))}`,
  );
}

/** The first frame of an HTTP/2 server: length in multiples of 6, type 4, no flags (RFC 9113, 3.4 and 6.5). */
function isSettingsFrame(bytes: Buffer): boolean {
  return bytes.length >= 5 && bytes.readUIntBE(0, 3) % 6 === 0 && bytes[3] === 4 && bytes[4] === 0;
}
