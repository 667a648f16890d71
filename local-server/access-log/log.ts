/** The log of all exchanges of this process: those under way, and the last of those that are over. */

import type { Listener } from "../../core/routing/request-decision.ts";
import type { Client } from "../downstream/client.ts";
import { Exchange } from "./exchange.ts";
import type { Recorded } from "./facts.ts";
import { Ring } from "./ring.ts";
import { Underway } from "./underway.ts";

/** For the words of all exchanges: some 3 KB for each of the default number. */
const RING_BYTES = 4 << 20;
/** Pieces of both bodies and both heads of one exchange fit many times. */
export const MAX_BODY_BYTES = 65_536;

export class RequestLog {
  readonly #ring: Ring;
  readonly #open = new Underway<Exchange>();
  /** Who is told of each exchange when it begins, becomes a WebSocket and ends. */
  readonly followers = new Set<(exchange: Exchange) => void>();
  #lastId = 0;
  /** False: what begins is not remembered. */
  recording = true;
  /** Bytes kept of each body. */
  bodyBytes = 0;

  /** `size`: exchanges that are kept when they are over. */
  constructor(size: number) {
    this.#ring = new Ring(size, RING_BYTES);
  }

  begin(client: Client, listener: Listener): Exchange | undefined {
    if (!this.recording) return undefined;
    const exchange = new Exchange(++this.#lastId, client, listener, this.bodyBytes, this);
    client.exchange = exchange;
    this.#open.add(exchange);
    return exchange;
  }

  changed(exchange: Exchange): void {
    this.#tell(exchange);
  }

  ended(exchange: Exchange): void {
    this.#open.delete(exchange);
    this.#ring.add(exchange);
    this.#tell(exchange);
  }

  /** Forgets what is over. */
  clear(): void {
    this.#ring.clear();
  }

  /** By id, oldest first. What it gives is to be read at once: it changes with the exchange, and is written over. */
  all(): Recorded[] {
    const open = Array.from(this.#open, (exchange) => exchange.read());
    return [...this.#ring.all(), ...open].sort((a, b) => a.facts.id - b.facts.id);
  }

  get(id: number): Recorded | undefined {
    return this.all().find(({ facts }) => facts.id === id);
  }

  #tell(exchange: Exchange): void {
    // Hardly ever somebody follows, and each exchange asks twice.
    if (this.followers.size === 0) return;
    for (const follower of this.followers) follower(exchange);
  }
}
