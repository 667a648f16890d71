/** Token buckets in memory. */
import { clientNetwork } from "../core/access/client-network.ts";

/** The client that a request counts for: an IPv4 address or an IPv6 /64, since one client usually owns all of it. */
export function countedAddress(ip: string | null | undefined): string {
  return clientNetwork(ip) ?? ip ?? "";
}

interface Bucket {
  tokens: number;
  /** Milliseconds since the epoch. */
  refilledAt: number;
}

/** Size of the table; the least recently seen callers are evicted first. */
const MAX_CALLERS = 1000;

export class RateLimit {
  readonly #perMinute: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Takes a token. Returns 0, or the seconds until the next token when the bucket is empty. */
  take(caller: string, now = Date.now()): number {
    const bucket = this.#refilled(caller, now);
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) * (60 / this.#perMinute));
    bucket.tokens -= 1;
    return 0;
  }

  /** Gives a token back, for a caller that turned out not to be limited. */
  refund(caller: string, now = Date.now()): void {
    const bucket = this.#refilled(caller, now);
    bucket.tokens = Math.min(bucket.tokens + 1, this.#perMinute);
  }

  /** False while no caller was ever seen: then there is no need to know who calls. */
  get isUsed(): boolean {
    return this.#buckets.size > 0;
  }

  isExhausted(caller: string, now = Date.now()): boolean {
    return this.#refilled(caller, now).tokens < 1;
  }

  #refilled(caller: string, now: number): Bucket {
    const known = this.#buckets.get(caller);
    const tokens = known
      ? known.tokens + ((now - known.refilledAt) * this.#perMinute) / 60_000
      : this.#perMinute;
    const bucket = { tokens: Math.min(tokens, this.#perMinute), refilledAt: now };
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > MAX_CALLERS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }
}
