/**
 * The exchanges that are over, the newest of them, within a number and a number of bytes.
 *
 * Nothing of an exchange stays on the heap: objects that outlive their request are copied twice by the garbage collector,
 * which costs several times what writing them down does (measured: 10 % of a request against 1 %). So facts go into slots
 * that are used again, and words into one buffer, written round and round. What costs then is memory that no cache has,
 * and calls that leave the compiled code: a client's headers, most of the words, are written once for all its exchanges
 * that have the same, and what is short is written a character at a time.
 */
import { Fields } from "../http/fields.ts";
import { parseFields } from "../http/response-parser.ts";
import type { Exchange } from "./exchange.ts";
import { Facts, type Rare, type Recorded } from "./facts.ts";

/** So many different headers of clients are remembered, to be found again: those for pages, scripts, images, data. */
const KINDS = 8;
/** Longer texts are written by a call of Node's (measured: it costs as much as some hundred characters here). */
const SHORT = 512;

const NO_BODIES: Slot["bodies"] = [];

/** What is kept of an exchange. Places are counted from the first byte ever written, as if the buffer had no end. */
class Slot extends Facts {
  method = "";
  host = "";
  /** The client's headers: where, maybe written for an earlier exchange, and how many bytes. */
  headersAt = 0;
  headers = 0;
  /** The target, and behind it the answer's head (-1 bytes: there was none). */
  at = 0;
  target = 0;
  response = -1;
  /** The answer's head is text as HTTP/1.1 writes it. */
  isText = false;
  /** The pieces of the request's and the answer's body: where, how many bytes, and whether it had more. */
  bodies: ({ at: number; length: number; cut: boolean } | undefined)[] = NO_BODIES;
}

/** Not in Node's types. */
type Latin1Buffer = Buffer & { latin1Write(text: string, at: number): number };

export class Ring {
  readonly #size: number;
  #slots: Slot[];
  readonly #words: Latin1Buffer;
  /** The headers that were written last, where, and how many bytes. */
  readonly #kinds: (Fields | undefined)[] = Array.from({ length: KINDS }, () => undefined);
  readonly #kindsAt = Array.from({ length: KINDS }, () => 0);
  readonly #kindsLength = Array.from({ length: KINDS }, () => 0);
  #nextKind = 0;
  /** Not a string of each exchange: those that stay are costly. */
  #method = "";
  #host = "";
  /** How many exchanges were added since it was empty. */
  #added = 0;
  /** Bytes ever written, or left out at the buffer's end. */
  #written = 0;

  /** `size`: exchanges; `bytes`: at least four times as many as one exchange may have. */
  constructor(size: number, bytes: number) {
    this.#size = size;
    this.#slots = slots(size);
    // Written to once, so that its memory is taken now and not bit by bit.
    this.#words = Buffer.allocUnsafeSlow(bytes).fill(0) as Latin1Buffer;
  }

  add(exchange: Exchange): void {
    const { client, response, rare } = exchange;
    const slot = this.#slots[this.#added++ % this.#size]!;
    slot.copy(exchange);
    if (this.#method !== client.method) this.#method = client.method;
    slot.method = this.#method;
    if (this.#host !== client.host) this.#host = client.host;
    slot.host = this.#host;

    const kind = this.#find(client.fields);
    slot.headersAt = this.#kindsAt[kind]!;
    slot.headers = this.#kindsLength[kind]!;
    const { target } = client;
    const text = response?.text;
    const head = text ?? (rare?.ownHeaders ?? response?.fields.raw)?.join("\n");
    slot.target = target.length;
    slot.response = head === undefined ? -1 : head.length;
    slot.isText = text !== undefined;
    slot.at = this.#room(target.length + (head === undefined ? 0 : head.length));
    this.#write(target);
    if (head !== undefined) this.#write(head);
    slot.bodies = rare?.pieces ? this.#keepBodies(rare.pieces) : NO_BODIES;
    // They do not outlive their exchange.
    if (rare) rare.pieces = undefined;
  }

  /** Forgets them all. */
  clear(): void {
    this.#slots = slots(this.#size);
    this.#added = 0;
  }

  /** Oldest first, in the order in which they ended. */
  all(): Recorded[] {
    const oldest = this.#written - this.#words.length;
    const all: Recorded[] = [];
    for (let i = this.#added - 1; i >= 0 && i >= this.#added - this.#size; i--) {
      const slot = this.#slots[i % this.#size]!;
      // Others have been written over it.
      if (Math.min(slot.headersAt, slot.at) < oldest) break;
      all.push(this.#read(slot));
    }
    return all.reverse();
  }

  /** Which kind has these headers. */
  #find(fields: Fields): number {
    // What was written long ago may soon be written over.
    const old = this.#written - this.#words.length / 2;
    for (let kind = 0; kind < KINDS; kind++)
      if (this.#kinds[kind] === fields && this.#kindsAt[kind]! >= old) return kind;
    const kind = this.#nextKind++ % KINDS;
    this.#kinds[kind] = fields;
    const text = fields.raw.join("\n");
    this.#kindsAt[kind] = this.#room(text.length);
    this.#kindsLength[kind] = text.length;
    this.#write(text);
    return kind;
  }

  #keepBodies({ request, response }: NonNullable<Rare["pieces"]>): Slot["bodies"] {
    return [request.read(), response.read()].map((body) => {
      if (!body) return undefined;
      const at = this.#room(body.bytes.length);
      this.#words.set(body.bytes, at % this.#words.length);
      this.#written += body.bytes.length;
      return { at, length: body.bytes.length, cut: body.cut };
    });
  }

  /** Where so many bytes can be written in one piece, which is to be done next. */
  #room(length: number): number {
    const left = this.#words.length - (this.#written % this.#words.length);
    if (length > left) this.#written += left;
    return this.#written;
  }

  #write(text: string): void {
    const words = this.#words;
    const at = this.#written % words.length;
    const { length } = text;
    if (length > SHORT) words.latin1Write(text, at);
    else for (let i = 0; i < length; i++) words[at + i] = text.charCodeAt(i);
    this.#written += length;
  }

  #read(slot: Slot): Recorded {
    const { method, host, response } = slot;
    const [requestBody, responseBody] = slot.bodies.map(
      (body) => body && { bytes: this.#bytes(body.at, body.length), cut: body.cut },
    );
    const target = this.#text(slot.at, slot.target);
    const head = response === -1 ? undefined : this.#text(slot.at + slot.target, response);
    return {
      facts: slot,
      method,
      target,
      host,
      requestHeaders: new Fields(lines(this.#text(slot.headersAt, slot.headers))),
      responseHeaders: head === undefined ? undefined : slot.isText ? headerLines(head) : lines(head),
      requestBody,
      responseBody,
    };
  }

  #text(at: number, length: number): string {
    return this.#bytes(at, length).toString("latin1");
  }

  #bytes(at: number, length: number): Buffer {
    const from = at % this.#words.length;
    return this.#words.subarray(from, from + length);
  }
}

function slots(size: number): Slot[] {
  return Array.from({ length: size }, () => new Slot());
}

function headerLines(head: string): string[] {
  const [, ...rest] = head.split("\r\n");
  return rest.length === 0 ? [] : parseFields(rest.join("\r\n"));
}

/** No name or value of a header has a line break: HTTP could not carry it. */
function lines(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}
