/**
 * Watches whether something listens at the local locations of services that are routed automatically.
 *
 * It asks by connecting. A closed port of this machine refuses within microseconds and wakes nobody, so while nothing
 * listens it asks often; a server that is up is disturbed rarely, since the first request that it refuses tells its end.
 */
import type { AutoState } from "../../core/session/session-document.ts";
import { httpOrigin } from "../../core/session/session-document.ts";
import { accepts, endpoint } from "../upstream/connect.ts";
import { LocalCopy } from "./local-copy.ts";

/** How often it is asked: while nothing listens, while something does, and while that has to prove itself. */
const SILENT_MS = 600;
const LISTENING_MS = 2_000;
const RESTARTING_MS = 100;
/** Those that are due so soon are asked at once: one wake-up for all. */
const SLACK_MS = 40;
/** Other machines may not answer at all. */
const PATIENCE_MS = 1_000;

/** Calls back once: whether something accepts connections at this `http://host:port`. */
export type ProbeListener = (origin: string, done: (listens: boolean) => void) => void;

interface Watched {
  copy: LocalCopy;
  /** Undefined while a connection is being tried. */
  askAt: number | undefined;
}

export class LocalCopies {
  readonly #listeners = new Set<() => void>();
  readonly #ask: ProbeListener;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  constructor(ask: ProbeListener = askByConnecting) {
    this.#ask = ask;
  }

  /** Tells when a location's state, or what it waits for, is another than before. Returns how to stop that. */
  onDidChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** By location; undefined for a location without a copy. */
  get states(): Record<string, AutoState> | undefined {
    if (this.#watched.size === 0) return undefined;
    return Object.fromEntries(Array.from(this.#watched, ([location, { copy }]) => [location, copy.state]));
  }

  /** Of those that are restarting. */
  get waits(): Record<string, number> {
    return Object.fromEntries(
      Array.from(this.#watched, ([location, { copy }]) => [location, copy.waitMs] as const).filter(
        (entry): entry is [string, number] => entry[1] !== undefined,
      ),
    );
  }

  stateOf(location: string): AutoState {
    return this.#watched.get(location)?.copy.state ?? "remote";
  }

  /** Watches exactly these from now on. Resolves when each has been asked. */
  async watch(locations: ReadonlySet<string>): Promise<void> {
    for (const location of this.#watched.keys()) if (!locations.has(location)) this.#watched.delete(location);
    for (const location of locations)
      if (!this.#watched.has(location)) this.#watched.set(location, { copy: new LocalCopy(), askAt: 0 });
    this.#look();
    if (this.#isAsked) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** A request was refused there. */
  refused(location: string): void {
    const watched = this.#watched.get(location);
    if (!watched) return;
    if (watched.askAt !== undefined) watched.askAt = 0;
    this.#saw(watched, false);
    this.#schedule();
  }

  close(): void {
    this.#watched.clear();
    clearTimeout(this.#timer);
  }

  get #isAsked(): boolean {
    return Array.from(this.#watched.values()).every(({ askAt }) => askAt !== undefined && askAt > 0);
  }

  #look(): void {
    const now = performance.now();
    for (const [location, watched] of this.#watched) {
      if (watched.askAt === undefined || watched.askAt > now + SLACK_MS) continue;
      watched.askAt = undefined;
      this.#ask(httpOrigin(location)!, (listens) => {
        this.#saw(watched, listens);
        const pause = !listens ? SILENT_MS : watched.copy.state === "local" ? LISTENING_MS : RESTARTING_MS;
        watched.askAt = performance.now() + pause;
        if (this.#isAsked) for (const resolve of this.#waiting.splice(0)) resolve();
        this.#schedule();
      });
    }
    this.#schedule();
  }

  #saw({ copy }: Watched, listens: boolean): void {
    const { state, waitMs } = copy;
    if (copy.saw(listens, performance.now()) === state && copy.waitMs === waitMs) return;
    for (const listener of this.#listeners) listener();
  }

  /** One timer for all. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const due = Array.from(this.#watched.values()).flatMap(({ askAt }) => askAt ?? []);
    if (due.length === 0) return;
    const wait = Math.max(0, Math.min(...due) - performance.now());
    this.#timer = setTimeout(() => this.#look(), wait);
  }
}

const askByConnecting: ProbeListener = (origin, done) => {
  const giveUp = accepts(endpoint(origin), (listens) => {
    clearTimeout(timer);
    done(listens);
  });
  const timer = setTimeout(() => {
    giveUp();
    done(false);
  }, PATIENCE_MS);
};
