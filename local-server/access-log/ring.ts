/**
 * The newest completed exchanges, within a number and a number of bytes.
 *
 * Nothing of an exchange stays on the heap: objects that outlive their request are copied twice by the garbage collector,
 * which costs several times what writing them down does (measured: 10 % of a request against 1 %). So metadata goes into
 * slots that are used again, and text into one ring buffer. The remaining cost is memory outside the CPU's caches and calls
 * that leave compiled code: a client's headers and its host, most of the text, are written once for all exchanges that have
 * the same, and short text is written a character at a time.
 */
import { parseFields } from "../http/field-parser.ts";
import { Fields } from "../http/fields.ts";
import { writeLatin1 } from "../node-internals.ts";
import { ExchangeMetadata, type RareFields, type RecordedExchange } from "./exchange-metadata.ts";
import type { InFlightExchange } from "./in-flight-exchange.ts";

/** Distinct request heads kept for de-duplication between connections: those for pages, scripts, images, data. */
const DEDUP_SLOTS = 8;
/** Characters. Longer text is written by Node (measured: the call costs as much as some tens of characters here). */
const SHORT = 64;
/** A power of 2: the ring begins with this part of its buffer. */
const STEPS = 4;
/** An index: no value of the request's lines is its own. */
const NONE = -1;
/** The header whose value alone differs between lines that share what is derived from them. */
const TRACE = "traceparent";

const NO_BODIES: Slot["bodies"] = [];

/** A completed exchange. Positions count from the first byte ever written, as if the buffer had no end. */
class Slot extends ExchangeMetadata {
  method = "";
  /** The client's headers and, behind them, its host, maybe written for an earlier exchange: position and lengths in bytes. */
  headersAt = 0;
  headers = 0;
  host = 0;
  /** Position of the target and, behind it, of its own value in the headers, and of the response's head (-1: no response). */
  at = 0;
  target = 0;
  own = 0;
  response = -1;
  /** The index of its own value in the lines, or NONE. */
  ownIndex = NONE;
  /** The response's head is text as HTTP/1.1 writes it. */
  isText = false;
  /** The captured parts of the request's and the response's body. */
  bodies: ({ at: number; length: number; truncated: boolean } | undefined)[] = NO_BODIES;
}

/** A request's header lines and its host, as they are in a ring. */
class WrittenHead {
  readonly ring: Ring;
  readonly fields: Fields;
  readonly host: string;
  /** Position of the lines as text and, behind them, of the host. */
  readonly at: number;
  /** Of the lines. */
  readonly length: number;
  /** The index of the value in which lines that share what is derived from them differ, or NONE. */
  readonly varies: number;

  constructor(ring: Ring, fields: Fields, host: string, at: number, length: number) {
    this.ring = ring;
    this.fields = fields;
    this.host = host;
    this.at = at;
    this.length = length;
    const line = fields.names.indexOf(TRACE);
    this.varies = line === -1 ? NONE : 2 * line + 1;
  }

  /** For equal lines and an equal host: the same objects are compared sooner than equal ones. */
  as(fields: Fields, host: string): WrittenHead {
    return new WrittenHead(this.ring, fields, host, this.at, this.length);
  }
}

export class Ring {
  readonly #size: number;
  #slots: Slot[];
  readonly #buffer: Buffer;
  /** Those written last. */
  readonly #heads: (WrittenHead | undefined)[] = Array.from({ length: DEDUP_SLOTS }, () => undefined);
  #nextHead = 0;
  /** One string for many exchanges: each string that stays on the heap is costly. */
  #method = "";
  /** How many exchanges were added since it was empty. */
  #added = 0;
  /** Bytes ever written, or skipped at the buffer's end. */
  #written = 0;
  /** What lies before it was overwritten. */
  #cleared = 0;
  /** How many bytes of the buffer are used: as many as the exchanges need that are to be kept. */
  #capacity: number;
  /** Up to there, text was copied when the capacity grew. */
  #copied = 0;
  /** Where an exchange begins that is to be kept, or was a moment ago; all later ones lie behind it. */
  #first = 0;

  /** `size`: exchanges; `bytes`: a multiple of STEPS, and at least four times as many as one exchange may have. */
  constructor(size: number, bytes: number) {
    this.#size = size;
    this.#slots = slots(size);
    // Not filled: the system gives each page when it is written to first.
    this.#buffer = Buffer.alloc(bytes);
    this.#capacity = bytes / STEPS;
  }

  add(exchange: InFlightExchange): void {
    const { client, response, rare } = exchange;
    const { fields, target } = client;
    const slot = this.#slots[this.#added++ % this.#size]!;
    slot.copy(exchange);
    if (this.#method !== client.method) this.#method = client.method;
    slot.method = this.#method;

    const written = this.#headOf(fields, client.host);
    slot.headersAt = written.at;
    slot.headers = written.length;
    slot.host = written.host.length;
    const ownIndex = fields === written.fields ? NONE : written.varies;
    const own = ownIndex === NONE ? "" : fields.raw[ownIndex]!;
    slot.ownIndex = ownIndex;
    slot.own = own.length;

    const text = response?.text;
    const head = text ?? (rare?.ownHeaders ?? response?.fields.raw)?.join("\n");
    slot.target = target.length;
    slot.response = head === undefined ? -1 : head.length;
    slot.isText = text !== undefined;
    slot.at = this.#room(target.length + own.length + (head === undefined ? 0 : head.length));
    this.#write(target);
    this.#write(own);
    if (head !== undefined) this.#write(head);
    slot.bodies = rare?.bodies ? this.#writeBodies(rare.bodies) : NO_BODIES;
    // The captures on the heap end with their exchange.
    if (rare) rare.bodies = undefined;
  }

  /** Forgets everything, and overwrites the text: headers hold cookies and tokens. */
  clear(): void {
    this.#slots = slots(this.#size);
    this.#added = 0;
    this.#heads.fill(undefined);
    this.#cleared = this.#written;
    this.#first = this.#written;
    this.#method = "";
    this.#buffer.fill(0, 0, Math.max(this.#copied, Math.min(this.#written, this.#capacity)));
  }

  /** Oldest first, in the order in which they ended. */
  all(): RecordedExchange[] {
    const oldest = this.#written - this.#capacity;
    const all: RecordedExchange[] = [];
    for (let i = this.#added - 1; i >= 0 && i >= this.#added - this.#size; i--) {
      const slot = this.#slots[i % this.#size]!;
      // Its text was overwritten.
      if (Math.min(slot.headersAt, slot.at) < oldest) break;
      all.push(this.#read(slot));
    }
    return all.reverse();
  }

  /** These lines and this host in the buffer. */
  #headOf(fields: Fields, host: string): WrittenHead {
    const known = fields.derived.logged as WrittenHead | undefined;
    if (known && known.ring === this && known.host === host && this.#lasts(known)) return known;
    const written = this.#writeOnce(fields, host);
    // Which of two lines of that name varies is not known.
    if (fields.names.indexOf(TRACE) === fields.names.lastIndexOf(TRACE)) fields.derived.logged = written;
    return written;
  }

  /** Writes them, unless those of another connection that are equal were written recently. */
  #writeOnce(fields: Fields, host: string): WrittenHead {
    for (const head of this.#heads)
      if (head?.host === host && this.#lasts(head) && head.fields.equals(fields))
        return head.as(fields, host);
    return this.#writeHead(fields, host);
  }

  /** Text written long ago may soon be overwritten. */
  #lasts({ at }: WrittenHead): boolean {
    return at >= this.#cleared && at >= this.#written - this.#capacity / 2;
  }

  #writeHead(fields: Fields, host: string): WrittenHead {
    const text = fields.raw.join("\n");
    const at = this.#room(text.length + host.length);
    this.#write(text);
    this.#write(host);
    const written = new WrittenHead(this, fields, host, at, text.length);
    this.#heads[this.#nextHead++ % DEDUP_SLOTS] = written;
    return written;
  }

  #writeBodies({ request, response }: NonNullable<RareFields["bodies"]>): Slot["bodies"] {
    return [request.read(), response.read()].map((body) => {
      if (!body) return undefined;
      const at = this.#room(body.bytes.length);
      this.#buffer.set(body.bytes, at % this.#capacity);
      this.#written += body.bytes.length;
      return { at, length: body.bytes.length, truncated: body.truncated };
    });
  }

  /** The position at which this many bytes can be written contiguously, as the next write. */
  #room(length: number): number {
    let at = this.#contiguous(length);
    if (this.#isNarrow(at + length)) this.#first = this.#oldest();
    while (this.#isNarrow(at + length)) {
      this.#grow();
      at = this.#contiguous(length);
    }
    this.#written = at;
    return at;
  }

  /** The exchanges up to this position may take half of the ring: headers that they share may lie as far before them. */
  #isNarrow(end: number): boolean {
    return end - this.#first > this.#capacity / 2 && this.#capacity < this.#buffer.length;
  }

  /** Where the first exchange begins that is to be kept beside the one that is being added. */
  #oldest(): number {
    return this.#slots[this.#added < this.#size ? 0 : this.#added % this.#size]!.at;
  }

  #contiguous(length: number): number {
    const left = this.#capacity - (this.#written % this.#capacity);
    return length > left ? this.#written + left : this.#written;
  }

  /** Each position is in the first or the second half of the doubled ring: what it has is in both. */
  #grow(): void {
    const before = this.#capacity;
    this.#capacity = 2 * before;
    if (this.#written < before) return;
    this.#buffer.copyWithin(before, 0, before);
    this.#copied = this.#capacity;
  }

  #write(text: string): void {
    const buffer = this.#buffer;
    const at = this.#written % this.#capacity;
    const { length } = text;
    if (length > SHORT) writeLatin1(buffer, text, at);
    else for (let i = 0; i < length; i++) buffer[at + i] = text.charCodeAt(i);
    this.#written += length;
  }

  #read(slot: Slot): RecordedExchange {
    const { method, response } = slot;
    const [requestBody, responseBody] = slot.bodies.map(
      (body) => body && { bytes: this.#bytes(body.at, body.length), truncated: body.truncated },
    );
    const target = this.#textAt(slot.at, slot.target);
    const headers = lines(this.#textAt(slot.headersAt, slot.headers));
    if (slot.ownIndex !== NONE) headers[slot.ownIndex] = this.#textAt(slot.at + slot.target, slot.own);
    const headAt = slot.at + slot.target + slot.own;
    const head = response === -1 ? undefined : this.#textAt(headAt, response);
    return {
      metadata: slot,
      method,
      target,
      host: this.#textAt(slot.headersAt + slot.headers, slot.host),
      requestHeaders: new Fields(headers),
      responseHeaders: head === undefined ? undefined : slot.isText ? headerLines(head) : lines(head),
      requestBody,
      responseBody,
    };
  }

  #textAt(at: number, length: number): string {
    return this.#bytes(at, length).toString("latin1");
  }

  #bytes(at: number, length: number): Buffer {
    const from = at % this.#capacity;
    return this.#buffer.subarray(from, from + length);
  }
}

function slots(size: number): Slot[] {
  return Array.from({ length: size }, () => new Slot());
}

function headerLines(head: string): string[] {
  const [, ...rest] = head.split("\r\n");
  return rest.length === 0 ? [] : parseFields(rest.join("\r\n"));
}

/** No header has a line break in its name or value: HTTP could not carry it. */
function lines(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}
