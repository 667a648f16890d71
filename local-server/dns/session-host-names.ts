/** The host names of the local server's sessions, asked of the local server and cached. */
import { request } from "node:http";

/** How long the names count as fresh. */
const FRESH_MS = 500;
/** How long known names may be answered while a refresh is in flight. */
const STALE_MS = 2_000;

export class SessionHostNames {
  readonly #address: string;
  #known: ReadonlySet<string> = new Set();
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;
  /** When the local server last responded, ms of the monotonic clock. */
  lastSeen = performance.now();

  /** `address`: the local server's control address. */
  constructor(address: string) {
    this.#address = address;
  }

  /** True when `has` may be called without `refresh`. */
  get fresh(): boolean {
    return performance.now() - this.#refreshedAt < FRESH_MS;
  }

  /** True when a known name may be answered while `refresh` is in flight. */
  get usable(): boolean {
    return performance.now() - this.#refreshedAt < STALE_MS;
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  /** Without a local server there are no names. */
  async refresh(): Promise<void> {
    this.#refreshing ??= ask(this.#address)
      .then(
        (names) => {
          this.#known = names;
          this.lastSeen = performance.now();
        },
        () => {
          this.#known = new Set();
        },
      )
      .finally(() => {
        this.#refreshedAt = performance.now();
        this.#refreshing = undefined;
      });
    await this.#refreshing;
  }
}

function ask(socketPath: string): Promise<ReadonlySet<string>> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: "/v1/sessions", timeout: 2_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        try {
          resolve(hostNames(JSON.parse(text)));
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on("timeout", () => call.destroy(new Error("The local server does not respond.")));
    call.on("error", reject);
    call.end();
  });
}

/** `<session>.<domain>` of every session, from `GET /v1/sessions`. */
export function hostNames(answer: {
  sessions: Record<string, { session: { domains: { domain: string }[] } }>;
}): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [name, { session }] of Object.entries(answer.sessions))
    for (const { domain } of session.domains) names.add(`${name}.${domain}`.toLowerCase());
  return names;
}
