/** The host names of the sessions that the local server serves, as it says. */
import { request } from "node:http";

/** How long an answer of the local server counts. */
const FRESH_MS = 500;
/** How long it counts for what it named, while the next one is on its way. */
const RECENT_MS = 2_000;

export class Names {
  readonly #address: string;
  #known: ReadonlySet<string> = new Set();
  #asked = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  /** When the local server last answered, in milliseconds of the monotonic clock. */
  lastSeen = performance.now();

  /** `address` is the local server's control address. */
  constructor(address: string) {
    this.#address = address;
  }

  /** True when `has` may be asked without `refresh`. */
  get fresh(): boolean {
    return performance.now() - this.#asked < FRESH_MS;
  }

  /** True when a name that `has` knows may be answered while `refresh` is under way. */
  get recent(): boolean {
    return performance.now() - this.#asked < RECENT_MS;
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  /** Without a local server there are no names: then everything is somebody else's. */
  async refresh(): Promise<void> {
    this.#asking ??= ask(this.#address)
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
        this.#asked = performance.now();
        this.#asking = undefined;
      });
    await this.#asking;
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
    call.on("timeout", () => call.destroy(new Error("The local server does not answer.")));
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
