/**
 * The newest completed exchanges, within a number and a number of bytes.
 *
 * Nothing of an exchange stays on the heap: objects that outlive their request are copied twice by the garbage collector,
 * which costs several times what writing them down does (measured: 10 % of a request against 1 %). So metadata goes into
 * slots that are used again, and text into one ring buffer. The remaining cost is memory outside the CPU's caches and calls
 * that leave compiled code: a client's headers, most of the text, are written once for all exchanges that have the same, and
 * short text is written a character at a time.
 */
import { parseFields } from "../http/field-parser.ts";
import { Fields } from "../http/fields.ts";
import { writeLatin1 } from "../node-internals.ts";
import { ExchangeMetadata, type RareFields, type RecordedExchange } from "./exchange-metadata.ts";
import type { InFlightExchange } from "./in-flight-exchange.ts";

/** Distinct request-header blocks kept for de-duplication: those for pages, scripts, images, data. */
const DEDUP_SLOTS = 8;
/** Characters. Longer text is written by Node (measured: the call costs as much as some hundred characters here). */
const SHORT = 512;

const NO_BODIES: Slot["bodies"] = [];

/** A completed exchange. Positions count from the first byte ever written, as if the buffer had no end. */
class Slot extends ExchangeMetadata {
  method = "";
  host = "";
  /** The client's headers, maybe written for an earlier exchange: position and length in bytes. */
  headersAt = 0;
  headers = 0;
  /** Position of the target and, behind it, of the response's head; their lengths (-1: no response). */
  at = 0;
  target = 0;
  response = -1;
  /** The response's head is text as HTTP/1.1 writes it. */
  isText = false;
  /** The captured parts of the request's and the response's body. */
  bodies: ({ at: number; length: number; truncated: boolean } | undefined)[] = NO_BODIES;
}

export class Ring {
  readonly #size: number;
  #slots: Slot[];
  readonly #buffer: Buffer;
  /** The request headers that were written last, with their positions and lengths. */
  readonly #dedup: (Fields | undefined)[] = Array.from({ length: DEDUP_SLOTS }, () => undefined);
  readonly #dedupAt = Array.from({ length: DEDUP_SLOTS }, () => 0);
  readonly #dedupLength = Array.from({ length: DEDUP_SLOTS }, () => 0);
  #nextDedup = 0;
  /** One string for many exchanges: each string that stays on the heap is costly. */
  #method = "";
  #host = "";
  /** How many exchanges were added since it was empty. */
  #added = 0;
  /** Bytes ever written, or skipped at the buffer's end. */
  #written = 0;

  /** `size`: exchanges; `bytes`: at least four times as many as one exchange may have. */
  constructor(size: number, bytes: number) {
    this.#size = size;
    this.#slots = slots(size);
    // Not filled: the system gives each page when it is written to first.
    this.#buffer = Buffer.alloc(bytes);
  }

  add(exchange: InFlightExchange): void {
    const { client, response, rare } = exchange;
    const slot = this.#slots[this.#added++ % this.#size]!;
    slot.copy(exchange);
    if (this.#method !== client.method) this.#method = client.method;
    slot.method = this.#method;
    if (this.#host !== client.host) this.#host = client.host;
    slot.host = this.#host;

    const index = this.#writeOnce(client.fields);
    slot.headersAt = this.#dedupAt[index]!;
    slot.headers = this.#dedupLength[index]!;
    const { target } = client;
    const text = response?.text;
    const head = text ?? (rare?.ownHeaders ?? response?.fields.raw)?.join("\n");
    slot.target = target.length;
    slot.response = head === undefined ? -1 : head.length;
    slot.isText = text !== undefined;
    slot.at = this.#room(target.length + (head === undefined ? 0 : head.length));
    this.#write(target);
    if (head !== undefined) this.#write(head);
    slot.bodies = rare?.bodies ? this.#writeBodies(rare.bodies) : NO_BODIES;
    // The captures on the heap end with their exchange.
    if (rare) rare.bodies = undefined;
  }

  /** Forgets everything, and overwrites the text: headers hold cookies and tokens. */
  clear(): void {
    this.#slots = slots(this.#size);
    this.#added = 0;
    this.#dedup.fill(undefined);
    this.#method = "";
    this.#host = "";
    this.#buffer.fill(0, 0, Math.min(this.#written, this.#buffer.length));
  }

  /** Oldest first, in the order in which they ended. */
  all(): RecordedExchange[] {
    const oldest = this.#written - this.#buffer.length;
    const all: RecordedExchange[] = [];
    for (let i = this.#added - 1; i >= 0 && i >= this.#added - this.#size; i--) {
      const slot = this.#slots[i % this.#size]!;
      // Its text was overwritten.
      if (Math.min(slot.headersAt, slot.at) < oldest) break;
      all.push(this.#read(slot));
    }
    return all.reverse();
  }

  /** Writes these headers unless they were written recently. Returns their index in the table. */
  #writeOnce(fields: Fields): number {
    // Text written long ago may soon be overwritten.
    const oldest = this.#written - this.#buffer.length / 2;
    for (let i = 0; i < DEDUP_SLOTS; i++)
      if (this.#dedupAt[i]! >= oldest && this.#dedup[i]?.equals(fields)) return i;
    const index = this.#nextDedup++ % DEDUP_SLOTS;
    this.#dedup[index] = fields;
    const text = fields.raw.join("\n");
    this.#dedupAt[index] = this.#room(text.length);
    this.#dedupLength[index] = text.length;
    this.#write(text);
    return index;
  }

  #writeBodies({ request, response }: NonNullable<RareFields["bodies"]>): Slot["bodies"] {
    return [request.read(), response.read()].map((body) => {
      if (!body) return undefined;
      const at = this.#room(body.bytes.length);
      this.#buffer.set(body.bytes, at % this.#buffer.length);
      this.#written += body.bytes.length;
      return { at, length: body.bytes.length, truncated: body.truncated };
    });
  }

  /** The position at which this many bytes can be written contiguously, as the next write. */
  #room(length: number): number {
    const left = this.#buffer.length - (this.#written % this.#buffer.length);
    if (length > left) this.#written += left;
    return this.#written;
  }

  #write(text: string): void {
    const buffer = this.#buffer;
    const at = this.#written % buffer.length;
    const { length } = text;
    if (length > SHORT) writeLatin1(buffer, text, at);
    else for (let i = 0; i < length; i++) buffer[at + i] = text.charCodeAt(i);
    this.#written += length;
  }

  #read(slot: Slot): RecordedExchange {
    const { method, host, response } = slot;
    const [requestBody, responseBody] = slot.bodies.map(
      (body) => body && { bytes: this.#bytes(body.at, body.length), truncated: body.truncated },
    );
    const target = this.#textAt(slot.at, slot.target);
    const head = response === -1 ? undefined : this.#textAt(slot.at + slot.target, response);
    return {
      metadata: slot,
      method,
      target,
      host,
      requestHeaders: new Fields(lines(this.#textAt(slot.headersAt, slot.headers))),
      responseHeaders: head === undefined ? undefined : slot.isText ? headerLines(head) : lines(head),
      requestBody,
      responseBody,
    };
  }

  #textAt(at: number, length: number): string {
    return this.#bytes(at, length).toString("latin1");
  }

  #bytes(at: number, length: number): Buffer {
    const from = at % this.#buffer.length;
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
