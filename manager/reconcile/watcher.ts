/** Runs a round periodically and at every change of the state file. */
import type { FSWatcher } from "node:fs";
import { watchState } from "./state-watch.ts";

export class Watcher {
  readonly #home: string;
  readonly #round: () => Promise<number>;
  readonly #log: (line: string) => void;
  #running: { files: FSWatcher | undefined } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;
  #again = false;

  /** `round` resolves with the milliseconds until the next one, and never rejects. */
  constructor(home: string, round: () => Promise<number>, log: (line: string) => void) {
    this.#home = home;
    this.#round = round;
    this.#log = log;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  start(): void {
    if (this.#running) return;
    this.#running = { files: watchState(this.#home, () => this.#tick(), this.#log) };
    this.#tick();
  }

  /** Resolves when the current round is over. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    clearTimeout(this.#timer);
    this.#running.files?.close();
    this.#running = undefined;
    await this.#ticking;
  }

  /** Rounds never overlap; a call during a round requests another one. */
  #tick(): void {
    this.#again = true;
    this.#ticking ??= this.#rounds().finally(() => {
      this.#ticking = undefined;
    });
  }

  async #rounds(): Promise<void> {
    while (this.#again && this.#running) {
      this.#again = false;
      clearTimeout(this.#timer);
      const ms = await this.#round();
      if (this.#running) this.#timer = setTimeout(() => this.#tick(), ms);
    }
  }
}
