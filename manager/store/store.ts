/** The state file, changed in transactions. */

import { chmod, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { text } from "../../core/text.ts";
import { writeAtomically } from "../../node/atomic-file.ts";
import { makeFolder } from "../../node/folder.ts";
import { Lock, LockHeldError } from "../../node/lock.ts";
import { LinkupError, problem } from "../model/problem.ts";
import { distrustHashes } from "../model/records.ts";
import { emptyState, parseState, type State } from "../model/state.ts";

/** A transaction that is open in this process. */
interface Transaction {
  state: State;
  /** The state that the file has, as JSON; undefined when it is to be written anew. */
  written: string | undefined;
}

/**
 * Every change happens in a transaction, under a lock between processes. Within one process all that is read and changed
 * while a transaction is open belongs to it; other processes see the state when it is written, at its end.
 */
export class Store {
  readonly home: string;
  readonly path: string;
  /** Held for a whole transaction, which may take long: it spans a reconcile. */
  readonly #lock: Lock;
  #open: Transaction | undefined;

  constructor(home: string, log: (line: string) => void = () => {}) {
    this.home = home;
    this.path = join(home, "state.json");
    const lock = join(home, "state.lock");
    this.#lock = new Lock(
      lock,
      (cause) => this.#failure(cause),
      (pid) => log(`Waiting for process ${pid}, which holds ${lock}.`),
    );
  }

  /** True while this process has a transaction open, which a change would join. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** The state as it is, for the caller to keep. Reading needs no lock, since the file is only ever replaced as a whole. */
  async read(): Promise<State> {
    if (this.#open) return structuredClone(this.#open.state);
    const found = await this.#load();
    if ("state" in found) return found.state;
    return this.change((state) => structuredClone(state));
  }

  /** Changes the state: in the transaction that is open, else in one of its own. Returns what the change returns. */
  async change<T>(change: (state: State) => T): Promise<T> {
    const open = this.#open;
    if (!open) return this.transaction(() => this.change(change));
    const next = structuredClone(open.state);
    // A change that throws changes nothing.
    const result = change(next);
    open.state = next;
    return result;
  }

  /**
   * Runs the action while no other process changes the state or makes things follow it; then writes what was changed,
   * once, also when the action rejects.
   */
  async transaction<T>(action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      makeFolder(this.home);
    } catch (error) {
      throw this.#failure(error);
    }
    return this.#lock.hold(async (interrupted) => {
      this.#open = await this.#begin(interrupted);
      try {
        const result = await action();
        await this.flush();
        return result;
      } catch (error) {
        // Side effects up to the error are recorded. A failed write is reported by the next transaction.
        await this.flush().catch(() => {});
        throw error;
      } finally {
        this.#open = undefined;
      }
    }, signal);
  }

  /** Writes what the open transaction has changed so far: what must be known should this process die. */
  async flush(): Promise<void> {
    const open = this.#open!;
    // A change may join while the file is being written.
    for (let json = JSON.stringify(open.state); json !== open.written; json = JSON.stringify(open.state)) {
      try {
        await writeAtomically(this.path, `${JSON.stringify(open.state, null, 2)}\n`);
      } catch (error) {
        throw this.#failure(error);
      }
      open.written = json;
    }
  }

  async #begin(interrupted: boolean): Promise<Transaction> {
    const found = await this.#load();
    if (!("state" in found)) return { state: await this.#putAside(found.unreadable), written: undefined };
    const { state } = found;
    const written = JSON.stringify(state);
    // A process died in the middle of its transaction: what it sent before it died was not written down.
    if (interrupted) distrustHashes(state);
    return { state, written };
  }

  async #load(): Promise<{ state: State } | { unreadable: string }> {
    let text: string;
    try {
      text = await readFile(this.path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return { state: emptyState() };
      throw this.#failure(error);
    }
    return parseState(text);
  }

  /** Moves the file away; returns an empty state with a problem that names the new path. */
  async #putAside(why: string): Promise<State> {
    const aside = `${this.path}.unreadable-${new Date().toISOString().replaceAll(":", "-")}`;
    try {
      await rename(this.path, aside);
      await chmod(aside, 0o600);
    } catch (error) {
      throw this.#failure(error);
    }
    const set_aside = problem(
      "state-set-aside",
      text(
        "{0} could not be read ({1}). It is kept as {2}, and Linkup starts afresh: sessions get new names.",
        this.path,
        why,
        aside,
      ),
    );
    return { ...emptyState(), set_aside: [set_aside] };
  }

  #failure(cause: unknown): LinkupError {
    if (cause instanceof LockHeldError) return locked(cause);
    const code = (cause as NodeJS.ErrnoException).code;
    const why =
      code === "ENOSPC"
        ? text("the disk is full")
        : code === "EROFS"
          ? text("the file system is read-only")
          : code === "EACCES" || code === "EPERM"
            ? text("permission denied")
            : (cause as Error).message;
    return new LinkupError(
      "state-unusable",
      text(
        "Linkup keeps its state in {0}, which cannot be used: {1}. Make it writable, or name another folder in LINKUP_HOME.",
        this.home,
        why,
      ),
      [],
      { cause },
    );
  }
}

function locked(cause: LockHeldError): LinkupError {
  const { pid, path, stopped } = cause;
  const message = stopped
    ? text(
        "Process {0} holds {1} and is stopped, so nothing can change. Continue it (kill -CONT {2}) or end it (kill -KILL {3}).",
        pid,
        path,
        pid,
        pid,
      )
    : text("Process {0} has held {1} for too long. If it hangs, end it: kill {2}.", pid, path, pid);
  return new LinkupError("state-locked", message, [], { cause });
}
