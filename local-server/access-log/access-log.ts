/** The access log of this process: the exchanges in flight, and the last completed ones. */

import type { Listener } from "../../core/routing/request-decision.ts";
import type { RecordedExchange } from "./exchange-metadata.ts";
import { InFlightExchange, type LoggedRequest } from "./in-flight-exchange.ts";
import { InFlightSet } from "./in-flight-set.ts";
import { Ring } from "./ring.ts";

/** For the text of all exchanges: about 4 KB for each of the default number. */
const RING_BYTES = 4 << 20;
/** The ring holds the captured bodies and heads of one exchange many times over. */
export const MAX_BODY_BYTES = 65_536;

export class AccessLog {
  readonly #ring: Ring;
  readonly #inFlight = new InFlightSet<InFlightExchange>();
  /** Called for each exchange when it begins, becomes a WebSocket and ends. */
  readonly followers = new Set<(exchange: InFlightExchange) => void>();
  /** Called while somebody follows, for each exchange whose trace is known. */
  onTraced: (exchange: InFlightExchange) => void = () => {};
  #lastId = 0;
  /** While false, new exchanges are not recorded. */
  recording = true;
  /** Bytes captured of each body. */
  bodyBytes = 0;

  /** `size`: completed exchanges that are kept. */
  constructor(size: number) {
    this.#ring = new Ring(size, RING_BYTES);
  }

  begin(client: LoggedRequest, listener: Listener): InFlightExchange | undefined {
    if (!this.recording) return undefined;
    const exchange = new InFlightExchange(++this.#lastId, client, listener, this.bodyBytes, this);
    this.#inFlight.add(exchange);
    return exchange;
  }

  /** The id of an exchange that is kept elsewhere. */
  nextId(): number {
    return ++this.#lastId;
  }

  get followed(): boolean {
    return this.followers.size > 0;
  }

  traced(exchange: InFlightExchange): void {
    this.onTraced(exchange);
  }

  changed(exchange: InFlightExchange): void {
    this.#notify(exchange);
  }

  ended(exchange: InFlightExchange): void {
    this.#inFlight.delete(exchange);
    this.#ring.add(exchange);
    this.#notify(exchange);
  }

  /** Forgets the completed exchanges, and overwrites their text. */
  clear(): void {
    this.#ring.clear();
  }

  /** By id, oldest first. To be read at once: an entry changes with its exchange, and is overwritten by later ones. */
  all(): RecordedExchange[] {
    const inFlight = Array.from(this.#inFlight, (exchange) => exchange.read());
    return [...this.#ring.all(), ...inFlight].sort((a, b) => a.metadata.id - b.metadata.id);
  }

  get(id: number): RecordedExchange | undefined {
    return this.all().find(({ metadata }) => metadata.id === id);
  }

  #notify(exchange: InFlightExchange): void {
    // The usual case, twice for each exchange.
    if (this.followers.size === 0) return;
    for (const follower of this.followers) follower(exchange);
  }
}
