/**
 * The exchanges that are over, the newest of them, within a number and a number of bytes.
 *
 * Nothing of an exchange stays on the heap: objects that outlive their request are copied twice by the garbage collector,
 * which costs several times what writing them down does (measured: 10 % of a request against 2 %). So the heads go into
 * one buffer, written round and round, and the facts into rows of numbers that are used again.
 */
import { Fields } from "../proxy/fields.ts";
import { parseFields } from "../upstream/response-parser.ts";
import type { Exchange } from "./exchange.ts";
import { FactRows, type Recorded } from "./facts.ts";

/** Where the words of an exchange lie: so many numbers for each. */
const COLUMNS = 7;
/** What the last of them says: the answer's head is text as HTTP/1.1 writes it; a body had more than was kept. */
const IS_TEXT = 1;
const REQUEST_CUT = 2;
const RESPONSE_CUT = 4;

export class Ring {
  readonly #size: number;
  readonly #facts: FactRows;
  readonly #places: Float64Array;
  readonly #buffer: Buffer;
  /** How many exchanges were added. */
  #added = 0;
  /** How many of them were there when it was cleared. */
  #cleared = 0;
  /** Bytes ever written. */
  #written = 0;

  /** `size`: exchanges; `bytes`: at least as many as one exchange may have. */
  constructor(size: number, bytes: number) {
    this.#size = size;
    this.#facts = new FactRows(size);
    this.#places = new Float64Array(size * COLUMNS);
    // Written to once, so that its memory is taken now and not bit by bit.
    this.#buffer = Buffer.allocUnsafeSlow(bytes).fill(0);
  }

  add(exchange: Exchange): void {
    const row = this.#added++ % this.#size;
    this.#facts.write(row, exchange);
    const { request } = exchange;
    const { method, host, target, fields } = exchange.client;
    const headers = request ? request.replaced : fields.raw;
    const line = `${method}\n${target}\n${host}`;
    const words = headers.length === 0 ? line : `${line}\n${headers.join("\n")}`;
    const sent = request ? request.own : 0;
    const text = exchange.response?.text;
    const response = text ?? (exchange.ownHeaders ?? exchange.response?.fields.raw)?.join("\n");
    const requestBody = exchange.requestPiece?.read();
    const responseBody = exchange.responsePiece?.read();
    const requestBytes = requestBody ? requestBody.bytes.length : 0;
    const responseBytes = responseBody ? responseBody.bytes.length : 0;
    const size = words.length + sent + (response ? response.length : 0) + requestBytes + responseBytes;

    const buffer = this.#buffer;
    let at = this.#written % buffer.length;
    if (at + size > buffer.length) {
      // An exchange lies in one piece: the rest of the buffer is left free.
      this.#written += buffer.length - at;
      at = 0;
    }
    const places = this.#places;
    const column = row * COLUMNS;
    // Counted from the first byte ever written, as if the buffer had no end.
    places[column] = this.#written;
    // Method, target, host and headers; then the client's lines in the request as it was sent (0: they are in the headers).
    places[column + 1] = words.length;
    places[column + 2] = sent;
    // The answer's head; -1: there was none.
    places[column + 3] = response === undefined ? -1 : response.length;
    places[column + 4] = requestBytes;
    places[column + 5] = responseBytes;
    places[column + 6] =
      (text === undefined ? 0 : IS_TEXT) |
      (requestBody?.cut ? REQUEST_CUT : 0) |
      (responseBody?.cut ? RESPONSE_CUT : 0);
    this.#written += size;
    at += buffer.write(words, at, "latin1");
    if (request) at += buffer.write(request.head, at, sent, "latin1");
    if (response !== undefined) at += buffer.write(response, at, "latin1");
    if (requestBody) at += requestBody.bytes.copy(buffer, at);
    if (responseBody) responseBody.bytes.copy(buffer, at);
  }

  /** Forgets them all. */
  clear(): void {
    this.#cleared = this.#added;
    this.#facts.clear();
  }

  /** Oldest first, in the order in which they ended. */
  *[Symbol.iterator](): Generator<Recorded> {
    const first = Math.max(this.#cleared, this.#added - this.#size);
    for (let i = first; i < this.#added; i++) {
      const row = i % this.#size;
      // Others have been written over it.
      if (this.#places[row * COLUMNS]! < this.#written - this.#buffer.length) continue;
      yield this.#read(row);
    }
  }

  #read(row: number): Recorded {
    const [start, words, sent, answer, requestBytes, responseBytes, flags] = this.#places.subarray(
      row * COLUMNS,
      (row + 1) * COLUMNS,
    ) as unknown as [number, number, number, number, number, number, number];
    let at = start % this.#buffer.length;
    const next = (length: number) => {
      at += length;
      return this.#buffer.subarray(at - length, at);
    };
    const [method = "", target = "", host = "", ...headers] = lines(next(words));
    const requestHeaders = new Fields(sent === 0 ? headers : asSaid(next(sent), headers));
    const response = answer === -1 ? undefined : next(answer);
    const body = (length: number, cut: number) =>
      length === 0 ? undefined : { bytes: next(length), cut: (flags & cut) !== 0 };
    return {
      facts: this.#facts.read(row),
      method,
      target,
      host,
      requestHeaders,
      responseHeaders: response && (flags & IS_TEXT ? headerLines(response) : lines(response)),
      requestBody: body(requestBytes, REQUEST_CUT),
      responseBody: body(responseBytes, RESPONSE_CUT),
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
