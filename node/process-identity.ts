/** Tells a process from a later one that got the same pid: by when it started. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** A process of ours, as written down. */
export interface ProcessId {
  pid: number;
  /** When it started, in the words of the operating system: only ever compared. */
  started: string;
}

/** When the process with this pid started; undefined when there is none (a zombie counts as none). */
export async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") return linuxStart(await contentOf(`/proc/${pid}/stat`));
  if (!signalable(pid)) return undefined;
  const [command, ...args] =
    process.platform === "win32"
      ? [
          "powershell.exe",
          "-NoProfile",
          "-NonInteractive",
          "-Command",
          `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`,
        ]
      : ["ps", "-o", "lstart=", "-p", String(pid)];
  try {
    const { stdout } = await promisify(execFile)(command!, args, {
      // The same words for whoever asks, wherever.
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
      windowsHide: true,
    });
    return stdout.trim() || undefined;
  } catch {
    // Both exit with an error when there is no such process.
    return undefined;
  }
}

/** Field 22 of `/proc/PID/stat`; the second field is the name, in parentheses, and may hold anything. */
export function linuxStart(stat: string | undefined): string | undefined {
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}

/** True when the process exists and does not run because somebody stopped it, as by Ctrl-Z. False on Windows. */
export async function isStopped(pid: number): Promise<boolean> {
  if (process.platform === "linux") {
    const stat = (await contentOf(`/proc/${pid}/stat`)) ?? "";
    return /^[Tt]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  }
  if (process.platform === "win32") return false;
  const listed = promisify(execFile)("ps", ["-o", "stat=", "-p", String(pid)]);
  return listed.then(
    ({ stdout }) => stdout.trim().startsWith("T"),
    () => false,
  );
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

function signalable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** True when exactly this process still runs. */
export async function isSame(id: ProcessId): Promise<boolean> {
  return (await startOf(id.pid)) === id.started;
}

/** The same, for those who ask again and again. */
export async function isRunning(id: ProcessId): Promise<boolean> {
  return process.platform === "linux" ? isSame(id) : recently.isRunning(id, performance.now());
}

/** So soon no pid is given to another process. */
const RECENTLY_MS = 10_000;

/**
 * Outside Linux it takes a process of its own to learn when another one started, half a second of PowerShell on Windows:
 * one that was the right one a moment ago, and still exists, still is.
 */
export class Recently {
  readonly #exists: (pid: number) => boolean;
  readonly #isSame: (id: ProcessId) => Promise<boolean>;
  /** When it was last the right one, by pid and start. */
  readonly #seen = new Map<string, number>();

  constructor(exists: (pid: number) => boolean, same: (id: ProcessId) => Promise<boolean>) {
    this.#exists = exists;
    this.#isSame = same;
  }

  /** `now`: milliseconds of a clock that never goes back. */
  async isRunning(id: ProcessId, now: number): Promise<boolean> {
    const key = `${id.pid} ${id.started}`;
    const seen = this.#seen.get(key) ?? Number.NEGATIVE_INFINITY;
    if (now - seen < RECENTLY_MS && this.#exists(id.pid)) return true;
    this.#seen.delete(key);
    if (!(await this.#isSame(id))) return false;
    this.#seen.set(key, now);
    return true;
  }
}

const recently = new Recently(signalable, isSame);

let own: Promise<ProcessId> | undefined;

/** This very process. */
export function ownId(): Promise<ProcessId> {
  own ??= startOf(process.pid).then((started) => ({ pid: process.pid, started: started ?? "" }));
  return own;
}
