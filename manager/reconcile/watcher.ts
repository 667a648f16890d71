/** Runs a round periodically and at every change of the state file. */
import { type FSWatcher, watch } from "node:fs";
import { makeFolder } from "../../node/folder.ts";

/** Interval between rounds. */
const TICK_MS = 2_000;

export class Watcher {
  readonly #home: string;
  readonly #round: () => Promise<void>;
  readonly #log: (line: string) => void;
  #running: { timer: NodeJS.Timeout; files: FSWatcher | undefined } | undefined;
  #ticking: Promise<void> | undefined;
  #again = false;

  /** `round` never rejects. */
  constructor(home: string, round: () => Promise<void>, log: (line: string) => void) {
    this.#home = home;
    this.#round = round;
    this.#log = log;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  start(): void {
    if (this.#running) return;
    const timer = setInterval(() => this.#tick(), TICK_MS);
    this.#running = { timer, files: this.#watchState() };
    this.#tick();
  }

  /** Resolves when the current round is over. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    clearInterval(this.#running.timer);
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
      await this.#round();
    }
  }

  /** Other processes change the state too. Without a watcher the next tick notices. */
  #watchState(): FSWatcher | undefined {
    try {
      makeFolder(this.#home);
      const files = watch(this.#home, (_, file) => {
        if (file === "state.json") this.#tick();
      });
      files.on("error", (error) => this.#log(`Cannot watch ${this.#home}: ${error.message}`));
      return files;
    } catch (error) {
      this.#log(`Cannot watch ${this.#home}: ${(error as Error).message}`);
      return undefined;
    }
  }
}
