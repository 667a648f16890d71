/** Identifies a process by pid and start time, since pids are reused. */
import type { ExecFileOptions } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

/** A recorded process. */
export interface ProcessId {
  pid: number;
  /** Start time as the operating system prints it; only compared for equality. */
  started: string;
}

/** When the process with this pid started; undefined without such a process (a zombie is not one). */
export async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") return linuxStart(contentOf(`/proc/${pid}/stat`));
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
    const { stdout } = await run(command!, args, {
      // Locale- and time-zone-independent output.
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
      windowsHide: true,
    });
    return stdout.trim() || undefined;
  } catch {
    // Both exit with an error when there is no such process.
    return undefined;
  }
}

/** Loaded lazily: Linux needs no other process for it. */
function run(command: string, args: string[], options: ExecFileOptions = {}): Promise<{ stdout: string }> {
  const { execFile } = process.getBuiltinModule("node:child_process");
  return promisify(execFile)(command, args, { ...options, encoding: "utf8" });
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
    const stat = contentOf(`/proc/${pid}/stat`) ?? "";
    return /^[Tt]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  }
  if (process.platform === "win32") return false;
  const listed = run("ps", ["-o", "stat=", "-p", String(pid)]);
  return listed.then(
    ({ stdout }) => stdout.trim().startsWith("T"),
    () => false,
  );
}

/** The kernel makes these files in memory: asking another thread for them would take longer, and wake it each time. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
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
    // EPERM: it exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** True when exactly this process still runs. */
export async function isSameProcess(id: ProcessId): Promise<boolean> {
  return (await startOf(id.pid)) === id.started;
}

/** Like `isSameProcess`, but cheap enough for polling. */
export async function isRunning(id: ProcessId): Promise<boolean> {
  return process.platform === "linux" ? isSameProcess(id) : runningCache.isRunning(id, performance.now());
}

/** A pid is not reused within this time. */
const REUSE_MS = 10_000;

/**
 * Outside Linux reading a start time spawns a process (PowerShell takes half a second), so a
 * recent positive result is trusted while the pid exists.
 */
export class RunningCache {
  readonly #exists: (pid: number) => boolean;
  readonly #isSame: (id: ProcessId) => Promise<boolean>;
  /** Time of the last positive result, by pid and start. */
  readonly #seen = new Map<string, number>();

  constructor(exists: (pid: number) => boolean, same: (id: ProcessId) => Promise<boolean>) {
    this.#exists = exists;
    this.#isSame = same;
  }

  /** `now`: monotonic milliseconds. */
  async isRunning(id: ProcessId, now: number): Promise<boolean> {
    const key = `${id.pid} ${id.started}`;
    const seen = this.#seen.get(key) ?? Number.NEGATIVE_INFINITY;
    if (now - seen < REUSE_MS && this.#exists(id.pid)) return true;
    this.#seen.delete(key);
    if (!(await this.#isSame(id))) return false;
    this.#seen.set(key, now);
    return true;
  }
}

const runningCache = new RunningCache(signalable, isSameProcess);

let own: Promise<ProcessId> | undefined;

/** The current process. */
export function ownId(): Promise<ProcessId> {
  own ??= startOf(process.pid).then((started) => ({ pid: process.pid, started: started ?? "" }));
  return own;
}
