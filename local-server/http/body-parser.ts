/** Parses the bodies of one connection's HTTP/1.1 messages, one after the other. */
import { parseFields } from "./field-parser.ts";
import { joined } from "./joined.ts";
import { MAX_HEADER_SIZE } from "./limits.ts";
import { MalformedMessage } from "./protocol-errors.ts";

export interface BodyReader {
  data(chunk: Buffer): void;
  /** Complete. `trailers` as name, value, name, value… */
  end(trailers: string[]): void;
}

const COMPLETE = 0;
const LENGTH = 1;
const CHUNK_SIZE = 2;
const CHUNK_DATA = 3;
const CHUNK_END = 4;
const TRAILERS = 5;
const UNTIL_CLOSE = 6;

export class BodyParser {
  #state = COMPLETE;
  readonly #reader: BodyReader;
  readonly #parseTrailers: (text: string) => string[];
  /** Bytes of a line or trailer section whose end has not come yet. */
  #pending: Buffer | undefined;
  /** Bytes of the body or chunk still to come. */
  #remaining = 0;

  constructor(reader: BodyReader, parseTrailers = parseFields) {
    this.#reader = reader;
    this.#parseTrailers = parseTrailers;
  }

  /** True between bodies. */
  get complete(): boolean {
    return this.#state === COMPLETE;
  }

  /** `length`: bytes of the body, at least one. */
  startCounted(length: number): void {
    this.#state = LENGTH;
    this.#remaining = length;
  }

  startChunked(): void {
    this.#state = CHUNK_SIZE;
    this.#pending = undefined;
  }

  /** The body ends with the connection. */
  startUntilClose(): void {
    this.#state = UNTIL_CLOSE;
  }

  /** The rest of the body is not wanted. */
  cancel(): void {
    this.#state = COMPLETE;
  }

  /** Returns what lies behind the body's end. Throws MalformedMessage, after which the connection is useless. */
  feed(chunk: Buffer): Buffer {
    let rest = chunk;
    while (rest.length > 0 && this.#state !== COMPLETE) {
      switch (this.#state) {
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
          return EMPTY;
        default:
          rest = this.#feedCounted(rest);
      }
    }
    return rest;
  }

  /** The connection has ended cleanly. */
  finish(): void {
    if (this.#state === UNTIL_CLOSE) this.#end([]);
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
      if (bytes.includes(LF))
        throw new MalformedMessage("its chunked body has a line that ends with LF alone");
      this.#keep(bytes, MAX_CHUNK_LINE);
      return EMPTY;
    }
    this.#pending = undefined;
    const match = CHUNK_LINE.exec(bytes.toString("latin1", 0, end));
    if (!match) throw new MalformedMessage("its chunked body has a chunk without a size");
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
      throw new MalformedMessage("its chunked body has a chunk that is longer than its size");
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
    const searched = this.#pending?.length ?? 0;
    const end = none ? 0 : bytes.indexOf("\r\n\r\n", Math.max(0, searched - 3));
    if (end === -1) {
      this.#keep(bytes);
      return EMPTY;
    }
    this.#pending = undefined;
    this.#end(none ? [] : this.#parseTrailers(bytes.toString("latin1", 0, end)));
    return bytes.subarray(end + (none ? 2 : 4));
  }

  #end(trailers: string[]): void {
    this.#state = COMPLETE;
    this.#reader.end(trailers);
  }

  #join(chunk: Buffer): Buffer {
    return this.#pending ? joined(this.#pending, chunk) : chunk;
  }

  #keep(bytes: Buffer, most = MAX_HEADER_SIZE): void {
    if (bytes.length > most)
      throw new MalformedMessage("its chunked body has a line or trailers that are too long");
    // The memory of a chunk is used again by its owner, that of joined ones is not.
    this.#pending = this.#pending ? bytes : Buffer.from(bytes);
  }
}

const EMPTY = Buffer.alloc(0);
const LF = 10;
/** Bytes of a chunk's size and its extensions. */
const MAX_CHUNK_LINE = 16_384;
/**
 * RFC 9112, 7.1.1: extensions are read past, but only those of the grammar. Some servers write sizes of a fixed number of
 * digits.
 */
const CHUNK_LINE =
  /^(0{0,100}[0-9a-fA-F]{1,12})[ \t]*(?:;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*(?:=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*")[ \t]*)?)*$/;
