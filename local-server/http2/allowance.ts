/** Limits how often a client may do what costs us more than it costs the client: a burst, then a rate per second. */

export class Allowance {
  readonly #most: number;
  readonly #perSecond: number;
  #left: number;
  /** ms of the clock. */
  #since: number;
  readonly #clock: () => number;

  constructor(most: number, perSecond: number, clock: () => number = () => performance.now()) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#left = most;
    this.#clock = clock;
    this.#since = clock();
  }

  /** False when it is used up. */
  take(): boolean {
    if (this.#left < 1) {
      const now = this.#clock();
      this.#left = Math.min(this.#most, this.#left + ((now - this.#since) * this.#perSecond) / 1000);
      this.#since = now;
      if (this.#left < 1) return false;
    }
    this.#left--;
    return true;
  }
}
