/** Starts and ends detached processes. */

import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, open, readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { text } from "../../core/text.ts";
import { makeFolder } from "../../node/folder.ts";
import { isRunning, isSameProcess, type ProcessId, startOf } from "../../node/process-identity.ts";
import { LinkupError } from "../model/problem.ts";
import { cutLog } from "./log-tender.ts";

/** Grace period between SIGTERM and SIGKILL. */
const GRACE_MS = 5_000;

export interface Detached {
  id: ProcessId;
  /** Set when it has ended, while this process watches: `exit code 1` or the signal's name. */
  ended: string | undefined;
}

export interface DetachedOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Called with `exit code 1` or the signal's name when it has ended, while this process lives. */
  onEnd?: (ended: string, pid: number) => void;
  /** A log file, or a connection to the process that writes the log: a pipe to this process would break, and the other one with it. */
  output: string | Socket;
}

/**
 * Starts a detached process.
 * `writeDown` records its id; if that fails, the process is ended.
 */
export async function startDetached(
  command: string,
  args: string[],
  options: DetachedOptions,
  writeDown: (id: ProcessId) => Promise<unknown>,
): Promise<Detached> {
  const log = typeof options.output === "string" ? await openLog(options.output) : undefined;
  const output = log?.fd ?? (options.output as Socket);
  let child: ChildProcess;
  try {
    child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      windowsHide: true,
      stdio: ["ignore", output, output],
    });
    await new Promise<void>((spawned, failed) => child.once("spawn", spawned).once("error", failed));
  } finally {
    await log?.close();
  }
  const pid = child.pid!;
  const detached: Detached = { id: { pid, started: (await startOf(pid)) ?? "" }, ended: undefined };
  const hasEnded = (code: number | null, signal: NodeJS.Signals | null) => {
    detached.ended = signal ?? `exit code ${code}`;
    options.onEnd?.(detached.ended, pid);
  };
  if (child.exitCode !== null || child.signalCode !== null) hasEnded(child.exitCode, child.signalCode);
  else child.on("exit", hasEnded);
  child.unref();
  try {
    await writeDown(detached.id);
  } catch (error) {
    await endProcess(detached.id);
    throw error;
  }
  return detached;
}

async function openLog(path: string): Promise<FileHandle> {
  try {
    makeFolder(dirname(path));
    await cutLog(path);
    return await open(path, "a", 0o600);
  } catch (cause) {
    throw new LinkupError(
      "state-unusable",
      text(
        "The log {0} cannot be written: {1}. Make its folder writable, or name another one in LINKUP_HOME.",
        path,
        (cause as Error).message,
      ),
      [],
      { cause },
    );
  }
}

/** Our environment without process-specific variables and secrets. */
export function childEnv(env: NodeJS.ProcessEnv, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !/^(NODE_OPTIONS|NODE_CHANNEL_|VSCODE_|ELECTRON_|LINKUP_WORKER_TOKEN$)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...more };
}

/** Waits for the exit; false on timeout. */
export async function waitForEnd(id: ProcessId, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  while (await isRunning(id)) {
    if (performance.now() > until) return false;
    await delay(20);
  }
  return true;
}

/** Ends this process: SIGTERM, then SIGKILL. A later process with the same pid is left alone. */
export async function endProcess(id: ProcessId, graceMs = GRACE_MS): Promise<void> {
  for (const [signal, wait] of [
    ["SIGTERM", graceMs],
    ["SIGKILL", GRACE_MS],
  ] as const) {
    // Checked without the cache: a signal cannot be undone.
    if (!(await isSameProcess(id))) return;
    try {
      process.kill(id.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    if (await waitForEnd(id, wait)) return;
  }
  throw new Error(`Process ${id.pid} does not end.`);
}

/** The last lines of a log file, for error messages. */
export async function lastLines(path: string, count = 10): Promise<string> {
  try {
    const text = await readFile(path, "utf8");
    return text.trimEnd().split("\n").slice(-count).join("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
