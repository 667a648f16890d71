/** A lock between processes: a file that names its holder, so that a dead holder's lock can be taken over. */
import { type FileHandle, open, readFile, rename, rm, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { isRunning, isStopped, ownId, type ProcessId } from "./process-identity.ts";

/** Poll interval of a waiting process. */
const POLL_MS = 25;
/** A takeover takes microseconds: an older guard file is a leftover. */
const GUARD_MS = 5_000;
/** How long a holder is waited for: it may wait for a server that does not answer, several times in a row. */
const MAX_WAIT_MS = 90_000;
/** The same for one that is stopped, as by Ctrl-Z: it does not go on by itself. */
const STOPPED_WAIT_MS = 3_000;
/** A wait this long is worth a line in the log. */
const NOTICE_MS = 1_000;

/** Another process has the lock and does not give it back. */
export class LockHeldError extends Error {
  readonly path: string;
  readonly pid: number;
  /** True when it does not run at the moment: somebody stopped it. */
  readonly stopped: boolean;

  constructor(path: string, pid: number, stopped: boolean) {
    super(`process ${pid} holds ${path}`);
    this.path = path;
    this.pid = pid;
    this.stopped = stopped;
  }
}

export class Lock {
  readonly #path: string;
  /** Serialises the callers within this process. */
  #queue: Promise<void> = Promise.resolve();

  /** Wraps file system errors. */
  readonly #failure: (cause: unknown) => Error;

  /** Called once per long wait. */
  readonly #onWait: (holderPid: number) => void;

  constructor(
    path: string,
    failure: (cause: unknown) => Error,
    onWait: (holderPid: number) => void = () => {},
  ) {
    this.#path = path;
    this.#failure = failure;
    this.#onWait = onWait;
  }

  /**
   * Runs the action while no other process and no other call holds the lock. `interrupted`: a holder before this one died
   * with the lock in its hands, and no action has succeeded since. Rejects when the signal aborts the wait, and with the
   * failure of a LockHeldError when the wait takes too long.
   */
  async hold<T>(action: (interrupted: boolean) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = Promise.withResolvers<void>();
    const before = this.#queue;
    this.#queue = turn.promise;
    try {
      await unlessAborted(before, signal);
      await this.#acquire(signal);
      try {
        const interrupted = (await ageOf(this.#dead)) !== Number.POSITIVE_INFINITY;
        const result = await action(interrupted);
        if (interrupted) await rm(this.#dead, { force: true });
        return result;
      } finally {
        await rm(this.#path, { force: true });
      }
    } finally {
      // A caller that gave up waiting leaves its place to nobody else.
      void before.then(turn.resolve);
    }
  }

  /** The lock of a holder that died: its name until another holder is done. */
  get #dead(): string {
    return `${this.#path}.died`;
  }

  /** Rejects with the file system's error where the lock's folder cannot be written. */
  async #acquire(signal?: AbortSignal): Promise<void> {
    const started = performance.now();
    let noticed = false;
    try {
      while (!(await this.#tryAcquire())) {
        const waitedMs = performance.now() - started;
        if (waitedMs > NOTICE_MS) {
          await this.#checkPatience(waitedMs, !noticed);
          noticed = true;
        }
        await delay(POLL_MS, undefined, signal ? { signal } : {});
      }
    } catch (error) {
      throw signal?.aborted ? error : this.#failure(error);
    }
  }

  async #checkPatience(waitedMs: number, tell: boolean): Promise<void> {
    const holder = await this.#content();
    if (!holder) return;
    if (tell) this.#onWait(holder.pid);
    if (waitedMs < STOPPED_WAIT_MS) return;
    const stopped = await isStopped(holder.pid);
    if (stopped || waitedMs > MAX_WAIT_MS) throw new LockHeldError(this.#path, holder.pid, stopped);
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
      // Disk full: an empty lock file would block others.
      await rm(this.#path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  }

  /**
   * Puts the lock of a holder that is gone aside. Only one process at a time may do so, and it looks again
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
      if ((await this.#holder()) === "dead") await rename(this.#path, this.#dead);
    } finally {
      await guard.close();
      await rm(guardPath, { force: true });
    }
  }

  /** What the lock file says; undefined without one, null for one that names nobody. */
  async #content(): Promise<ProcessId | null | undefined> {
    try {
      return parseHolder(await readFile(this.#path, "utf8")) ?? null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #holder(): Promise<"none" | "living" | "dead"> {
    const holder = await this.#content();
    if (holder === undefined) return "none";
    // A new holder may not have written its id yet.
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

/** The same promise, or a rejection with the signal's reason if that comes first. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
