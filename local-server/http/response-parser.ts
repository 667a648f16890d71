/** Parses the HTTP/1.1 responses of one connection. */
import { BodyParser, type BodyReader } from "./body-parser.ts";
import { FieldParser, parseFields } from "./field-parser.ts";
import { Fields } from "./fields.ts";
import { joined } from "./joined.ts";
import { MAX_HEADER_SIZE } from "./limits.ts";
import { Http2Response, MalformedMessage } from "./protocol-errors.ts";

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

export interface ResponseReader extends BodyReader {
  /** An interim response: 100, 102, 103. */
  information(status: number, fields: Fields): void;
  head(head: ResponseHead): void;
  /** 101: from here on the connection is not HTTP any more; `rest` is what came right behind the head. */
  switched(head: ResponseHead, rest: Buffer): void;
}

/** The parts of a request that decide how its response is parsed. */
export interface ResponseContext {
  method: string;
  upgrade: boolean;
}

const HEAD = 0;
const BODY = 1;
const IDLE = 2;
const SWITCHED = 3;

export class ResponseParser {
  #state = IDLE;
  #context: ResponseContext = { method: "GET", upgrade: false };
  readonly #reader: ResponseReader;
  readonly #fieldParser = new FieldParser();
  readonly #body: BodyParser;
  /** Bytes of a head whose end has not come yet. */
  #pending: Buffer | undefined;
  #reusable = false;
  #sawBytes = false;

  constructor(reader: ResponseReader) {
    this.#reader = reader;
    const body: BodyReader = {
      data: (chunk) => reader.data(chunk),
      end: (trailers) => this.#end(trailers),
    };
    this.#body = new BodyParser(body, parseTrailers);
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

  /** Throws MalformedMessage, after which the connection is useless. */
  feed(chunk: Buffer): void {
    this.#sawBytes = true;
    let rest = chunk;
    while (rest.length > 0) {
      switch (this.#state) {
        case HEAD:
          rest = this.#feedHead(rest);
          break;
        case BODY:
          rest = this.#body.feed(rest);
          break;
        default:
          // Unsolicited bytes: the next response could not be told from them.
          this.#reusable = false;
          return;
      }
    }
  }

  /** The connection has ended cleanly. */
  finish(): void {
    this.#body.finish();
  }

  #feedHead(chunk: Buffer): Buffer {
    const bytes = this.#join(chunk);
    const end = bytes.indexOf("\r\n\r\n");
    if (end === -1) {
      if (bytes.length >= 8 && bytes.toString("latin1", 0, 5) !== "HTTP/") throw notHttp(bytes);
      if (bytes.includes("\n\n")) throw new MalformedMessage("its header lines end with LF alone");
      this.#keep(bytes);
      return EMPTY;
    }
    if (end > MAX_HEADER_SIZE) throw new MalformedMessage("its header section is larger than 128 KB");
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
      if (!this.#context.upgrade) throw new MalformedMessage("it switched protocols without being asked to");
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
    const hasBytes = this.#startBody(head);
    this.#state = hasBytes ? BODY : IDLE;
    this.#reader.head(head);
    if (!hasBytes) this.#end([]);
    return rest;
  }

  /** RFC 9112, 6.3: how long the body is. Returns whether any of it is to come. */
  #startBody(head: ResponseHead): boolean {
    const { status, fields } = head;
    const lengths = fields.has("content-length") ? fields.list("content-length") : undefined;
    if (lengths) {
      const [length = ""] = lengths;
      if (lengths.some((other) => other !== length) || !/^\d{1,15}$/.test(length))
        throw new MalformedMessage(`its Content-Length is ${JSON.stringify(fields.get("content-length"))}`);
      head.length = Number(length);
    }
    // "identity" means no coding (RFC 2616, 3.6). Old servers send it.
    const codings = fields.has("transfer-encoding")
      ? fields.list("transfer-encoding").filter((coding) => coding !== "identity")
      : [];
    if (codings.length > 0 && lengths)
      throw new MalformedMessage("it has both Content-Length and Transfer-Encoding");
    if (!mayHaveBody(this.#context.method, status)) {
      head.hasBody = false;
      return false;
    }
    if (codings.length > 0) {
      if (codings.length !== 1 || codings[0] !== "chunked")
        throw new MalformedMessage(`its Transfer-Encoding is ${JSON.stringify(codings.join(", "))}`);
      this.#body.startChunked();
      return true;
    }
    if (head.length === 0) return false;
    if (head.length !== undefined) {
      this.#body.startCounted(head.length);
      return true;
    }
    this.#reusable = false;
    this.#body.startUntilClose();
    return true;
  }

  #end(trailers: string[]): void {
    this.#state = IDLE;
    this.#reader.end(trailers);
  }

  #join(chunk: Buffer): Buffer {
    return this.#pending ? joined(this.#pending, chunk) : chunk;
  }

  #keep(bytes: Buffer): void {
    if (bytes.length > MAX_HEADER_SIZE)
      throw new MalformedMessage("its header section is larger than 128 KB");
    // The memory of a chunk is used again by its owner, that of joined ones is not.
    this.#pending = this.#pending ? bytes : Buffer.from(bytes);
  }
}

const EMPTY = Buffer.alloc(0);
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
/** RFC 9110, 6.4.1. */
export function mayHaveBody(method: string, status: number): boolean {
  return method !== "HEAD" && status !== 204 && status !== 304;
}

function notHttp(bytes: Buffer): MalformedMessage {
  if (isSettingsFrame(bytes)) return new Http2Response();
  return new MalformedMessage(
    `its response is not valid HTTP/1.1: ${JSON.stringify(bytes.toString("latin1", 0, 60))}`,
  );
}

/** The first frame of an HTTP/2 server: length in multiples of 6, type 4, no flags (RFC 9113, 3.4 and 6.5). */
function isSettingsFrame(bytes: Buffer): boolean {
  return bytes.length >= 5 && bytes.readUIntBE(0, 3) % 6 === 0 && bytes[3] === 4 && bytes[4] === 0;
}

/** RFC 9110, 6.5.1: what says how long a message is, or is about the connection, comes too late behind it. Clients refuse it. */
const TOO_LATE: ReadonlySet<string> = new Set(["connection", "content-length", "transfer-encoding"]);

function parseTrailers(text: string): string[] {
  const lines = parseFields(text);
  return lines.filter((_, i) => !TOO_LATE.has(lines[i & ~1]!.toLowerCase()));
}
