/**
 * The exchanges that are over, the newest of them, within a number and a number of bytes.
 *
 * Nothing of an exchange stays on the heap: objects that outlive their request are copied twice by the garbage collector,
 * which costs several times what writing them down does (measured: 10 % of a request against 2 %). So the heads go into
 * one buffer, written round and round, and the facts into slots that are used again.
 */
import { Fields } from "../proxy/fields.ts";
import { parseFields } from "../upstream/response-parser.ts";
import type { Exchange } from "./exchange.ts";
import { Facts, type KeptBody, type Recorded } from "./facts.ts";

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
    const { request } = exchange;
    const { method, host, target, fields } = exchange.client;
    const headers = request ? request.replaced : fields.raw;
    const line = `${method}\n${target}\n${host}`;
    const words = headers.length === 0 ? line : `${line}\n${headers.join("\n")}`;
    const text = exchange.response?.text;
    const response = text ?? (exchange.ownHeaders ?? exchange.response?.fields.raw)?.join("\n");
    slot.isText = text !== undefined;
    const requestBody = exchange.requestPiece?.read();
    const responseBody = exchange.responsePiece?.read();
    slot.words = words.length;
    slot.sent = request ? request.own : 0;
    slot.response = response === undefined ? -1 : response.length;
    slot.requestBody = requestBody ? requestBody.bytes.length : 0;
    slot.responseBody = responseBody ? responseBody.bytes.length : 0;
    const size = slot.words + slot.sent + Math.max(0, slot.response) + slot.requestBody + slot.responseBody;

    const buffer = this.#buffer;
    let at = this.#written % buffer.length;
    if (at + size > buffer.length) {
      // An exchange lies in one piece: the rest of the buffer is left free.
      this.#written += buffer.length - at;
      at = 0;
    }
    slot.at = this.#written;
    this.#written += size;
    at += buffer.write(words, at, "latin1");
    if (request) at += buffer.write(request.head, at, request.own, "latin1");
    if (response !== undefined) at += buffer.write(response, at, "latin1");
    if (requestBody) at += this.#keep(slot.cut, "request", requestBody, at);
    if (responseBody) this.#keep(slot.cut, "response", responseBody, at);
  }

  /** Forgets them all. */
  clear(): void {
    this.#cleared = this.#added;
    for (const slot of this.#slots) slot.copy(new Facts());
  }

  /** Oldest first, in the order in which they ended. */
  *[Symbol.iterator](): Generator<Recorded> {
    const first = Math.max(this.#cleared, this.#added - this.#slots.length);
    for (let i = first; i < this.#added; i++) {
      const slot = this.#slots[i % this.#slots.length]!;
      // Others have been written over it.
      if (slot.at < this.#written - this.#buffer.length) continue;
      yield this.#read(slot);
    }
  }

  #keep(cut: Slot["cut"], which: keyof Slot["cut"], body: KeptBody, at: number): number {
    cut[which] = body.cut;
    return body.bytes.copy(this.#buffer, at);
  }

  #read(slot: Slot): Recorded {
    let at = slot.at % this.#buffer.length;
    const next = (length: number) => {
      at += length;
      return this.#buffer.subarray(at - length, at);
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
