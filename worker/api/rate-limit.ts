/** Token buckets, in the memory of an isolate: enough against runaway clients, no accounting. */

interface Bucket {
  left: number;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Callers remembered at most; the oldest go first. */
const MOST = 1000;

export class RateLimit {
  readonly #perMinute: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Takes one of the caller's; 0 when there was one, else the seconds until there is. */
  take(caller: string, now = Date.now()): number {
    const bucket = this.#refilled(caller, now);
    if (bucket.left < 1) return Math.ceil((1 - bucket.left) * (60 / this.#perMinute));
    bucket.left -= 1;
    return 0;
  }

  isExhausted(caller: string, now = Date.now()): boolean {
    return this.#refilled(caller, now).left < 1;
  }

  #refilled(caller: string, now: number): Bucket {
    const known = this.#buckets.get(caller);
    const left = known ? known.left + ((now - known.at) * this.#perMinute) / 60_000 : this.#perMinute;
    const bucket = { left: Math.min(left, this.#perMinute), at: now };
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > MOST) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }
}
