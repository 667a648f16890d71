/**
 * The exchanges that are over, the newest of them, within a number and a number of bytes.
 *
 * Nothing of an exchange stays on the heap for long: objects that outlive their request are copied twice by the garbage
 * collector, which costs several times what writing them down does (measured: 10 % of a request against 2 %). So the heads
 * go into one buffer, written round and round, and the facts into slots that are used again. A write costs more than its
 * bytes, so several exchanges share one; of those that wait for it only the words are kept.
 */
import { Fields } from "../proxy/fields.ts";
import { parseFields } from "../upstream/response-parser.ts";
import type { Exchange } from "./exchange.ts";
import { Facts, type KeptBody, type Recorded } from "./facts.ts";

/** The words of so many are written at once. */
const BATCH = 32;

/** Where the words of an exchange lie. */
class Slot extends Facts {
  /** Counted from the first byte ever written, as if the buffer had no end. */
  at = 0;
  /** Bytes of method, target, host and headers; of the client's lines in the request as it was sent (0: they are in the headers). */
  words = 0;
  sent = 0;
  /** Bytes of the answer's head (-1: there was none), and of the bodies' pieces. */
  response = -1;
  /** The answer's head is text as HTTP/1.1 writes it. */
  isText = false;
  requestBody = 0;
  responseBody = 0;
  cut = { request: false, response: false };
}

export class Ring {
  readonly #slots: Slot[];
  readonly #buffer: Buffer;
  /** What is not in the buffer yet, of how many exchanges. */
  #text = "";
  #waiting = 0;
  /** How many exchanges were added. */
  #added = 0;
  /** How many of them were there when it was cleared. */
  #cleared = 0;
  /** Bytes ever written. */
  #written = 0;

  /** `size`: exchanges; `bytes`: at least as many as one exchange may have. */
  constructor(size: number, bytes: number) {
    this.#slots = Array.from({ length: size }, () => new Slot());
    // Written to once, so that its memory is taken now and not bit by bit.
    this.#buffer = Buffer.allocUnsafeSlow(bytes).fill(0);
  }

  add(exchange: Exchange): void {
    const slot = this.#slots[this.#added++ % this.#slots.length]!;
    slot.copy(exchange);
    slot.at = this.#written + this.#text.length;
    const { client, request, response, ownHeaders, requestPiece, responsePiece } = exchange;
    const headers = request ? request.replaced : client.fields.raw;
    const line = `${client.method}\n${client.target}\n${client.host}`;
    const words = headers.length === 0 ? line : `${line}\n${headers.join("\n")}`;
    const sent = request ? request.head.slice(0, request.own) : "";
    const said = response?.text ?? (ownHeaders ?? response?.fields.raw)?.join("\n");
    slot.words = words.length;
    slot.sent = sent.length;
    slot.response = said === undefined ? -1 : said.length;
    slot.isText = response?.text !== undefined;
    this.#text += words + sent + (said ?? "");
    slot.requestBody = requestPiece ? this.#keep(slot.cut, "request", requestPiece.read()) : 0;
    slot.responseBody = responsePiece ? this.#keep(slot.cut, "response", responsePiece.read()) : 0;
    if (++this.#waiting === BATCH) this.#write();
  }

  /** Forgets them all. */
  clear(): void {
    this.#cleared = this.#added;
    for (const slot of this.#slots) slot.copy(new Facts());
  }

  /** Oldest first, in the order in which they ended. */
  *[Symbol.iterator](): Generator<Recorded> {
    this.#write();
    const first = Math.max(this.#cleared, this.#added - this.#slots.length);
    for (let i = first; i < this.#added; i++) {
      const slot = this.#slots[i % this.#slots.length]!;
      // Others have been written over it.
      if (slot.at < this.#written - this.#buffer.length) continue;
      yield this.#read(slot);
    }
  }

  #keep(cut: Slot["cut"], which: keyof Slot["cut"], body: KeptBody | undefined): number {
    if (!body) return 0;
    cut[which] = body.cut;
    this.#text += body.bytes.toString("latin1");
    return body.bytes.length;
  }

  /** Goes on at the buffer's beginning when its end is reached. */
  #write(): void {
    for (let rest = this.#text; rest !== ""; ) {
      const length = this.#buffer.write(rest, this.#written % this.#buffer.length, "latin1");
      this.#written += length;
      rest = rest.slice(length);
    }
    this.#text = "";
    this.#waiting = 0;
  }

  #read(slot: Slot): Recorded {
    let { at } = slot;
    const next = (length: number) => {
      const from = at % this.#buffer.length;
      at += length;
      const first = this.#buffer.subarray(from, from + length);
      return first.length === length
        ? first
        : Buffer.concat([first, this.#buffer.subarray(0, length - first.length)]);
    };
    const [method = "", target = "", host = "", ...headers] = lines(next(slot.words));
    const requestHeaders = new Fields(slot.sent === 0 ? headers : asSaid(next(slot.sent), headers));
    const response = slot.response === -1 ? undefined : next(slot.response);
    const body = (length: number, cut: boolean) => (length === 0 ? undefined : { bytes: next(length), cut });
    return {
      facts: slot,
      method,
      target,
      host,
      requestHeaders,
      responseHeaders: response && (slot.isText ? headerLines(response) : lines(response)),
      requestBody: body(slot.requestBody, slot.cut.request),
      responseBody: body(slot.responseBody, slot.cut.response),
    };
  }
}

/** The client's headers: those that were sent, in the words of the client. */
function asSaid(sent: Buffer, replaced: string[]): string[] {
  const before = new Fields(replaced);
  const headers: string[] = [];
  // Behind the request line and the host that the service was sent.
  for (const line of sent.toString("latin1").split("\r\n").slice(2, -1)) {
    const colon = line.indexOf(": ");
    const name = line.slice(0, colon);
    if (!before.has(name.toLowerCase())) headers.push(name, line.slice(colon + 2));
  }
  return [...headers, ...replaced];
}

function headerLines(bytes: Buffer): string[] {
  const [, ...rest] = bytes.toString("latin1").split("\r\n");
  return rest.length === 0 ? [] : parseFields(rest.join("\r\n"));
}

/** No name or value of a header has a line break: HTTP could not carry it. */
function lines(bytes: Buffer): string[] {
  return bytes.length === 0 ? [] : bytes.toString("latin1").split("\n");
}
