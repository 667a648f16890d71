/** What is remembered of an exchange besides the words of its heads: numbers, and who was asked. */

import type { Listener } from "../../core/decide.ts";
import type { Exchange } from "../../core/exchange.ts";
import type { Service } from "../../core/session.ts";
import type { Fields } from "../proxy/fields.ts";
import type { Served } from "../sessions.ts";

export type Protocol = Exchange["protocol"];

/** Every exchange fills some twenty of these fields on its way, so each is a plain store. */
export class Facts {
  id = 0;
  listener: Listener = "browser";
  protocol: Protocol = "HTTP/1.1";
  secure = false;
  /** Milliseconds since the epoch. */
  time = 0;
  /** The next five: milliseconds of the monotonic clock; 0 when it has not come so far. */
  started = 0;
  /** When the connection that was used was asked for. 0: at once. */
  asked = 0;
  /** When it was there. 0: at once, it was open already. */
  connected = 0;
  answered = 0;
  ended = 0;
  served: Served | undefined;
  service: Service | undefined;
  /** Where at the edge it was passed on to. */
  edgeHost: string | undefined;
  status = 0;
  /** The code of the answer that the proxy gave itself. */
  failure: string | undefined;
  /** Who broke it off, and how. */
  brokenBy: "client" | "service" | undefined;
  reason: string | undefined;
  requestBytes = 0;
  responseBytes = 0;
  /** WebSocket frames, and the codes that either side closed with. 0: none. */
  clientFrames = 0;
  serviceFrames = 0;
  clientClose = 0;
  serviceClose = 0;
}

/** What few exchanges have. */
type Rare = Pick<Facts, "edgeHost" | "failure" | "brokenBy" | "reason">;

const PROTOCOLS: readonly Protocol[] = ["HTTP/1.0", "HTTP/1.1", "HTTP/2"];
const COLUMNS = 17;

/** The facts of exchanges that are over. As rows of numbers they lie side by side; objects lie all over the heap. */
export class FactRows {
  readonly #numbers: Float64Array;
  readonly #served: Facts["served"][];
  readonly #service: Facts["service"][];
  readonly #rare: (Rare | undefined)[];

  constructor(rows: number) {
    this.#numbers = new Float64Array(rows * COLUMNS);
    this.#served = new Array(rows).fill(undefined);
    this.#service = new Array(rows).fill(undefined);
    this.#rare = new Array(rows).fill(undefined);
  }

  write(row: number, facts: Facts): void {
    const { edgeHost, failure, brokenBy, reason } = facts;
    const isRare = edgeHost !== undefined || failure !== undefined || brokenBy !== undefined;
    this.#served[row] = facts.served;
    this.#service[row] = facts.service;
    this.#rare[row] = isRare ? { edgeHost, failure, brokenBy, reason } : undefined;
    const numbers = this.#numbers;
    const at = row * COLUMNS;
    numbers[at] = facts.id;
    numbers[at + 1] = facts.listener === "browser" ? 0 : 1;
    numbers[at + 2] = PROTOCOLS.indexOf(facts.protocol);
    numbers[at + 3] = facts.secure ? 1 : 0;
    numbers[at + 4] = facts.time;
    numbers[at + 5] = facts.started;
    numbers[at + 6] = facts.asked;
    numbers[at + 7] = facts.connected;
    numbers[at + 8] = facts.answered;
    numbers[at + 9] = facts.ended;
    numbers[at + 10] = facts.status;
    numbers[at + 11] = facts.requestBytes;
    numbers[at + 12] = facts.responseBytes;
    numbers[at + 13] = facts.clientFrames;
    numbers[at + 14] = facts.serviceFrames;
    numbers[at + 15] = facts.clientClose;
    numbers[at + 16] = facts.serviceClose;
  }

  read(row: number): Facts {
    const number = (column: number) => this.#numbers[row * COLUMNS + column]!;
    const facts = new Facts();
    facts.served = this.#served[row];
    facts.service = this.#service[row];
    Object.assign(facts, this.#rare[row]);
    facts.id = number(0);
    facts.listener = number(1) === 0 ? "browser" : "tunnel";
    facts.protocol = PROTOCOLS[number(2)]!;
    facts.secure = number(3) === 1;
    facts.time = number(4);
    facts.started = number(5);
    facts.asked = number(6);
    facts.connected = number(7);
    facts.answered = number(8);
    facts.ended = number(9);
    facts.status = number(10);
    facts.requestBytes = number(11);
    facts.responseBytes = number(12);
    facts.clientFrames = number(13);
    facts.serviceFrames = number(14);
    facts.clientClose = number(15);
    facts.serviceClose = number(16);
    return facts;
  }

  /** Nothing is kept alive any more. */
  clear(): void {
    for (const column of [this.#served, this.#service, this.#rare]) column.fill(undefined);
  }
}

/** An exchange as it can be read: its facts with the heads and the pieces of bodies that were kept. */
export interface Recorded {
  facts: Facts;
  method: string;
  host: string;
  target: string;
  requestHeaders: Fields;
  /** Name, value, name, value…: as the service said them, or the proxy in its place. Undefined before there is an answer. */
  responseHeaders: string[] | undefined;
  requestBody: KeptBody | undefined;
  responseBody: KeptBody | undefined;
}

export interface KeptBody {
  bytes: Buffer;
  /** It had more than these. */
  cut: boolean;
}
