/** Where the state lies: one file, changed under a lock. */
import { chmod, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../../node/atomic-file.ts";
import { makeFolder } from "../../node/folder.ts";
import { Lock } from "../../node/lock.ts";
import { LinkupError, problem } from "../model/problem.ts";
import { emptyState, parseState, type State } from "../model/state.ts";

export class Store {
  readonly home: string;
  readonly path: string;
  /** Held for the moment of a change. */
  readonly #writing: Lock;
  /** Held while processes and servers are made to follow the state, which may take long. */
  readonly #reconciling: Lock;

  constructor(home: string) {
    this.home = home;
    this.path = join(home, "state.json");
    const failure = (cause: unknown) => this.#unusable(cause);
    this.#writing = new Lock(join(home, "state.lock"), failure);
    this.#reconciling = new Lock(join(home, "reconcile.lock"), failure);
  }

  /** The state as it is. Reading needs no lock, since the file is only ever replaced as a whole. */
  async read(): Promise<State> {
    const found = await this.#load();
    if ("state" in found) return found.state;
    return this.change((state) => state);
  }

  /** Changes the state and writes it, unless it stayed the same. Returns what the change returns. */
  async change<T>(change: (state: State) => T): Promise<T> {
    return this.#held(this.#writing, async () => {
      const found = await this.#load();
      const state = "state" in found ? found.state : await this.#putAside(found.unreadable);
      const before = "state" in found ? JSON.stringify(state) : undefined;
      const result = change(state);
      if (JSON.stringify(state) !== before) await this.#write(state);
      return result;
    });
  }

  async #load(): Promise<{ state: State } | { unreadable: string }> {
    let text: string;
    try {
      text = await readFile(this.path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return { state: emptyState() };
      throw this.#unusable(error);
    }
    return parseState(text);
  }

  /** Runs the action while no other process makes things follow the state. */
  async reconciling<T>(action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#held(this.#reconciling, action, signal);
  }

  async #held<T>(lock: Lock, action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      makeFolder(this.home);
    } catch (error) {
      throw this.#unusable(error);
    }
    return lock.hold(action, signal);
  }

  async #write(state: State): Promise<void> {
    try {
      await writeAtomically(this.path, `${JSON.stringify(state, null, 2)}\n`);
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  /** The state to go on with: an empty one that tells where the other one is. */
  async #putAside(why: string): Promise<State> {
    const aside = `${this.path}.unreadable-${new Date().toISOString().replaceAll(":", "-")}`;
    try {
      await rename(this.path, aside);
      await chmod(aside, 0o600);
    } catch (error) {
      throw this.#unusable(error);
    }
    const set_aside = problem(
      "state-set-aside",
      `${this.path} could not be read (${why}). It is kept as ${aside}, and Linkup starts afresh: sessions get new names.`,
    );
    return { ...emptyState(), set_aside: [set_aside] };
  }

  #unusable(cause: unknown): LinkupError {
    const code = (cause as NodeJS.ErrnoException).code;
    const why =
      code === "ENOSPC"
        ? "the disk is full"
        : code === "EROFS"
          ? "the file system is read-only"
          : code === "EACCES" || code === "EPERM"
            ? "permission denied"
            : (cause as Error).message;
    return new LinkupError(
      "state-unusable",
      `Linkup keeps its state in ${this.home}, which cannot be used: ${why}. Make it writable, or name another folder in LINKUP_HOME.`,
      [],
      { cause },
    );
  }
}
