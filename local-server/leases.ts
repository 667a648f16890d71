/** The leases of the local server's users, and how long there have been none. */
import { LEASE_GRACE_MS, type Lease } from "../core/api/control-api.ts";

/**
 * The longest lease. Clients that need the server for longer renew their lease: that of a process that was killed, or of a program
 * that is no Linkup at all, must not keep the server alive for ever.
 */
export const MAX_LEASE_MS = 3_600_000;
/** Of a lease: the workspace folders of a window are few. */
const MAX_FILES = 100;
const MAX_PATH = 4_096;

/** Times are milliseconds of any monotonic clock. */
export class Leases {
  readonly #expiries = new Map<string, number>();
  readonly #files = new Map<string, string[]>();
  readonly #now: () => number;
  /** When the last lease ended, or the server started. */
  #unleasedSince: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#unleasedSince = now();
  }

  get ids(): string[] {
    this.#expire();
    return [...this.#expiries.keys()].sort();
  }

  /** The files of each leaseholder that named some. */
  get files(): Record<string, string[]> {
    return Object.fromEntries(
      this.ids
        .flatMap((id) => [[id, this.#files.get(id) ?? []] as const])
        .filter(([, files]) => files.length > 0),
    );
  }

  put(id: string, { ttl_ms, files = [] }: Lease): void {
    this.#expire();
    this.#files.set(id, files);
    this.#expiries.set(id, this.#now() + Math.min(ttl_ms ?? MAX_LEASE_MS, MAX_LEASE_MS));
  }

  delete(id: string): void {
    this.#expire();
    this.#files.delete(id);
    if (this.#expiries.delete(id) && this.#expiries.size === 0) this.#unleasedSince = this.#now();
  }

  /** Milliseconds until the server has to stop unless a lease is taken or renewed. */
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
      this.#files.delete(id);
      last = Math.max(last, expiry);
    }
    if (this.#expiries.size === 0 && last > this.#unleasedSince) this.#unleasedSince = last;
  }
}

/** Undefined when the JSON is not a lease. */
export function parseLease(json: unknown): Lease | undefined {
  if (typeof json !== "object" || json === null || !("ttl_ms" in json)) return undefined;
  const { ttl_ms } = json;
  if (ttl_ms !== null && !(typeof ttl_ms === "number" && Number.isFinite(ttl_ms) && ttl_ms >= 0))
    return undefined;
  if (!("files" in json)) return { ttl_ms };
  return isFiles(json.files) ? { ttl_ms, files: json.files } : undefined;
}

function isFiles(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_FILES &&
    value.every((path) => typeof path === "string" && path.length <= MAX_PATH)
  );
}
