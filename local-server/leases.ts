/** Who uses the local server, and since when nobody does. */
import { LEASE_GRACE_MS, type Lease } from "../core/api/control-api.ts";

/** Pure but for its clock: times are milliseconds of any monotonic clock. */
export class Leases {
  readonly #expiries = new Map<string, number>();
  readonly #now: () => number;
  /** When the last lease ended; the start counts as such an end. */
  #unleasedSince: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#unleasedSince = now();
  }

  get ids(): string[] {
    this.#expire();
    return [...this.#expiries.keys()].sort();
  }

  put(id: string, { ttl_ms }: Lease): void {
    this.#expire();
    this.#expiries.set(id, ttl_ms === null ? Number.POSITIVE_INFINITY : this.#now() + ttl_ms);
  }

  delete(id: string): void {
    this.#expire();
    if (this.#expiries.delete(id) && this.#expiries.size === 0) this.#unleasedSince = this.#now();
  }

  /** Milliseconds until the server has to stop, if nobody takes a lease; Infinity when a lease lasts. */
  get remaining(): number {
    this.#expire();
    const until = this.#expiries.size > 0 ? Math.max(...this.#expiries.values()) : this.#unleasedSince;
    return Math.max(0, until + LEASE_GRACE_MS - this.#now());
  }

  #expire(): void {
    const now = this.#now();
    let last = Number.NEGATIVE_INFINITY;
    for (const [id, expiry] of this.#expiries) {
      if (expiry > now) continue;
      this.#expiries.delete(id);
      last = Math.max(last, expiry);
    }
    if (this.#expiries.size === 0 && last > this.#unleasedSince) this.#unleasedSince = last;
  }
}

/** Reads a lease from JSON; undefined when it is none. */
export function parseLease(json: unknown): Lease | undefined {
  if (typeof json !== "object" || json === null || !("ttl_ms" in json)) return undefined;
  const { ttl_ms } = json;
  if (ttl_ms === null) return { ttl_ms };
  return typeof ttl_ms === "number" && Number.isFinite(ttl_ms) && ttl_ms >= 0 ? { ttl_ms } : undefined;
}
