/**
 * Watches whether something listens at the local locations of services that are routed automatically.
 *
 * It asks by connecting: a closed port of this machine refuses within microseconds and wakes nobody. No event tells that
 * somebody began to listen, and polling often would cost most of an idle session's CPU. So it is asked when the answer is needed
 * (a request that would go to the remote copy, a reader of the status), and the timer is only for those who are shown changes.
 */
import type { AutoState } from "../../core/session/session-document.ts";
import { httpOrigin } from "../../core/session/session-document.ts";
import { LocalCopy } from "./local-copy.ts";

/** How often it is asked for a minute after something has changed: while nothing listens, and while something does. */
const SILENT_MS = 600;
const LISTENING_MS = 2_000;
const BUSY_MS = 60_000;
/** Later: while somebody is shown each change, and while nobody is. */
const FOLLOWED_MS = 2_000;
const UNFOLLOWED_MS = 10_000;
/** While what listens has to prove itself. */
const RESTARTING_MS = 100;
/** Those that are due so soon are asked at once: one wake-up for all. */
const SLACK_MS = 40;
/** What was found so recently is not asked again: one question for many requests. */
const FRESH_MS = 100;
/**
 * Nobody waits where the last answer took longer: other machines may not answer at all, and Windows tries a closed port of its own
 * for a second. There it is asked as often as after a change.
 */
const QUICK_MS = 50;

/** Calls back once: whether something accepts connections at this `http://host:port`. */
export type ProbeListener = (origin: string, done: (listens: boolean) => void) => void;

interface Watched {
  copy: LocalCopy;
  /** When it was asked last, how long the answer took, and when it is asked next; of the monotonic clock, in milliseconds. */
  askedAt: number;
  tookMs: number;
  askAt: number;
  changedAt: number;
  /** Resolves with the answer; undefined while nobody asks. */
  asking: Promise<void> | undefined;
}

export class LocalCopies {
  readonly #ask: ProbeListener;
  readonly #changed: () => void;
  readonly #followers = new Set<() => void>();
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;

  /** `changed`: a location's state, or what it waits for, is another than before. */
  constructor(ask: ProbeListener, changed: () => void) {
    this.#ask = ask;
    this.#changed = changed;
  }

  /** Tells each change. Returns how to stop that. */
  follow(follower: () => void): () => void {
    this.#followers.add(follower);
    for (const watched of this.#watched.values()) this.#plan(watched);
    this.#schedule();
    return () => this.#followers.delete(follower);
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
    const now = performance.now();
    for (const location of locations)
      if (!this.#watched.has(location))
        this.#watched.set(location, {
          copy: new LocalCopy(),
          askedAt: Number.NEGATIVE_INFINITY,
          tookMs: Number.POSITIVE_INFINITY,
          askAt: now,
          changedAt: now,
          asking: undefined,
        });
    const unknown = Array.from(this.#watched).filter(([, { askedAt }]) => askedAt < 0);
    await Promise.all(unknown.map(([location, watched]) => this.#look(location, watched)));
    this.#schedule();
  }

  /**
   * To be called before a request goes to the remote copy since nothing listens here: resolves when that has been looked at
   * again. Undefined where it was a moment ago, or where nobody can wait for the answer.
   */
  lookAgain(location: string): Promise<void> | undefined {
    const watched = this.#watched.get(location);
    if (!watched || performance.now() - watched.askedAt < FRESH_MS) return undefined;
    const looked = this.#look(location, watched);
    return watched.tookMs <= QUICK_MS ? looked : undefined;
  }

  /** The same for all, to be told as they are. */
  async lookAgainAtAll(): Promise<void> {
    await Promise.all(Array.from(this.#watched.keys(), (location) => this.lookAgain(location)));
  }

  /** A request was refused there. */
  refused(location: string): void {
    const watched = this.#watched.get(location);
    if (!watched) return;
    watched.askAt = 0;
    this.#saw(watched, false);
    this.#schedule();
  }

  close(): void {
    this.#watched.clear();
    clearTimeout(this.#timer);
  }

  #look(location: string, watched: Watched): Promise<void> {
    if (watched.asking) return watched.asking;
    const { promise, resolve } = Promise.withResolvers<void>();
    watched.asking = promise;
    const began = performance.now();
    this.#ask(httpOrigin(location)!, (listens) => {
      watched.asking = undefined;
      watched.askedAt = performance.now();
      watched.tookMs = watched.askedAt - began;
      this.#saw(watched, listens);
      this.#plan(watched);
      this.#schedule();
      resolve();
    });
    return promise;
  }

  #saw(watched: Watched, listens: boolean): void {
    const { copy } = watched;
    const { state, waitMs } = copy;
    const now = performance.now();
    if (copy.saw(listens, now) === state && copy.waitMs === waitMs) return;
    watched.changedAt = now;
    this.#changed();
    for (const follower of this.#followers) follower();
  }

  /** When it is asked next. */
  #plan(watched: Watched): void {
    const { copy, askedAt, tookMs, changedAt } = watched;
    watched.askAt = askedAt + this.#pause(copy, tookMs > QUICK_MS || askedAt - changedAt < BUSY_MS);
  }

  #pause({ listens, state }: LocalCopy, often: boolean): number {
    if (listens && state === "restarting") return RESTARTING_MS;
    if (often) return listens ? LISTENING_MS : SILENT_MS;
    return this.#followers.size > 0 ? FOLLOWED_MS : UNFOLLOWED_MS;
  }

  /** One timer for all. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const due = Array.from(this.#watched.values()).filter(({ asking }) => !asking);
    if (due.length === 0) return;
    const wait = Math.max(0, Math.min(...due.map(({ askAt }) => askAt)) - performance.now());
    this.#timer = setTimeout(() => this.#lookAtDue(), wait);
  }

  #lookAtDue(): void {
    const soon = performance.now() + SLACK_MS;
    for (const [location, watched] of this.#watched)
      if (watched.askAt <= soon) void this.#look(location, watched);
    this.#schedule();
  }
}
