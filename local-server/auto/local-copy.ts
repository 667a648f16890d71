/** When requests follow a local copy that comes and goes. Pure: told what is seen, and when. */
import type { AutoState } from "../../core/session/session-document.ts";

/** A copy that listened for less than this has crashed, as far as can be seen from outside. */
const STEADY_MS = 3_000;
/** How long it has to listen before requests go there again: this after the first crash, twice as long after each further one. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** Crashes are forgotten when nothing listens for this long. */
const FORGET_MS = 60_000;

export class LocalCopy {
  state: AutoState = "remote";
  /** Since when something listens; undefined while nothing does. */
  #since: number | undefined;
  /** It began to listen after this: when nothing was seen to last. What is looked at seldom is seen late, and has not crashed. */
  #silentAt: number | undefined;
  #endedAt = 0;
  /** In a row, each within `STEADY_MS` of its start. */
  #crashes = 0;

  /** Something listens there, or nothing does. `now` in milliseconds, of any clock that only goes forward. */
  saw(listens: boolean, now: number): AutoState {
    this.state = listens ? this.#listening(now) : this.#silent(now);
    return this.state;
  }

  #listening(now: number): AutoState {
    this.#since ??= now;
    const listened = now - this.#since;
    if (this.state === "local") {
      if (listened >= STEADY_MS) this.#crashes = 0;
      return "local";
    }
    return listened >= this.#wait ? "local" : "restarting";
  }

  #silent(now: number): AutoState {
    if (this.#since !== undefined) {
      const lived = now - (this.#silentAt ?? this.#since);
      this.#crashes = lived < STEADY_MS || this.state === "restarting" ? this.#crashes + 1 : 0;
      this.#since = undefined;
      this.#endedAt = now;
    } else if (now - this.#endedAt >= FORGET_MS) this.#crashes = 0;
    this.#silentAt = now;
    return this.#crashes > 0 ? "restarting" : "remote";
  }

  /** Something did when it was looked at last. */
  get listens(): boolean {
    return this.#since !== undefined;
  }

  /** While it is restarting: for how long it has to listen before requests go there. Milliseconds. */
  get waitMs(): number | undefined {
    return this.state === "restarting" ? this.#wait : undefined;
  }

  get #wait(): number {
    return this.#crashes === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (this.#crashes - 1), LONGEST_WAIT_MS);
  }
}
