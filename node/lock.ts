/** A lock between processes: a file that names its holder, so that a dead holder's lock can be taken over. */
import { type FileHandle, open, readFile, rm, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { isRunning, ownId, type ProcessId } from "./process-identity.ts";

/** How often a waiting process looks again, ms. */
const POLL_MS = 25;
/** Taking over a dead holder's lock is a matter of microseconds: a guard older than this has itself died. */
const GUARD_MS = 5_000;

export class Lock {
  readonly #path: string;
  /** The users within this process, one after the other. */
  #queue: Promise<void> = Promise.resolve();

  /** What to throw when the file system refuses. */
  readonly #failure: (cause: unknown) => Error;

  constructor(path: string, failure: (cause: unknown) => Error) {
    this.#path = path;
    this.#failure = failure;
  }

  /** Runs the action while no other process and no other call holds the lock. Rejects when the signal aborts the wait. */
  async hold<T>(action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = Promise.withResolvers<void>();
    const before = this.#queue;
    this.#queue = turn.promise;
    try {
      await before;
      await this.#acquire(signal);
      try {
        return await action();
      } finally {
        await rm(this.#path, { force: true });
      }
    } finally {
      turn.resolve();
    }
  }

  /** Rejects with the file system's error where the lock's folder cannot be written. */
  async #acquire(signal?: AbortSignal): Promise<void> {
    try {
      while (!(await this.#tryAcquire())) await delay(POLL_MS, undefined, signal ? { signal } : {});
    } catch (error) {
      throw signal?.aborted ? error : this.#failure(error);
    }
  }

  async #tryAcquire(): Promise<boolean> {
    const file = await createNew(this.#path);
    if (!file) {
      await this.#releaseOfDead();
      return false;
    }
    try {
      await file.writeFile(JSON.stringify(await ownId()));
    } catch (error) {
      // A full disk: without a name in it the lock would keep others waiting.
      await rm(this.#path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  }

  /**
   * Removes the lock of a holder that is gone. Only one process at a time may do so, and it looks again
   * before it acts: else two could each remove "the dead one's" lock, the second one that of a live newcomer.
   */
  async #releaseOfDead(): Promise<void> {
    if ((await this.#holder()) !== "dead") return;
    const guardPath = `${this.#path}.takeover`;
    const guard = await createNew(guardPath);
    if (!guard) {
      if ((await ageOf(guardPath)) > GUARD_MS) await rm(guardPath, { force: true });
      return;
    }
    try {
      if ((await this.#holder()) === "dead") await rm(this.#path, { force: true });
    } finally {
      await guard.close();
      await rm(guardPath, { force: true });
    }
  }

  async #holder(): Promise<"none" | "living" | "dead"> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "none";
      throw error;
    }
    const holder = parseHolder(text);
    // A holder that has not written its name yet is given time to do so.
    const living = holder ? await isRunning(holder) : (await ageOf(this.#path)) < GUARD_MS;
    return living ? "living" : "dead";
  }
}

function parseHolder(text: string): ProcessId | undefined {
  try {
    const { pid, started } = JSON.parse(text);
    return typeof pid === "number" && typeof started === "string" ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

async function createNew(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw error;
  }
}

/** Milliseconds; infinite when there is no such file. */
async function ageOf(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Number.POSITIVE_INFINITY;
    throw error;
  }
}
