/**
 * Keeps the logs of our own processes small, and free of secrets that should not be there. Their writers hold them open
 * for appending: so a file is copied and emptied instead of renamed, and a secret is overwritten where it stands by as
 * many asterisks, which does not disturb writers that append. The logs of cloudflared are written by the local server (tunnel-logs.ts).
 */
import { copyFile, type FileHandle, open, readdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { logNameOf, MAX_LOG_BYTES } from "../../node/log-files.ts";

/** Overwrites the secrets in what the file holds from there on. Without the file it does nothing. */
async function redactFile(path: string, secrets: readonly string[], from = 0): Promise<void> {
  const file = await opened(path);
  if (!file) return;
  try {
    const { size } = await file.stat();
    if (size <= from) return;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    for (const secret of secrets) {
      const mask = Buffer.alloc(Buffer.byteLength(secret), "*");
      for (let at = buffer.indexOf(secret); at !== -1 && at < bytesRead; at = buffer.indexOf(secret, at + 1))
        await file.write(mask, 0, mask.length, from + at);
    }
  } finally {
    await file.close();
  }
}

/** Rotates a log that is too long, even while it is open elsewhere; returns whether it did. */
export async function cutLog(path: string, maxBytes = MAX_LOG_BYTES): Promise<boolean> {
  if ((await sizeOf(path)) <= maxBytes) return false;
  try {
    await copyFile(path, `${path}.1`);
  } catch (error) {
    // On a full disk, free space matters more than old lines.
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    await rm(`${path}.1`, { force: true });
  }
  await truncate(path);
  return true;
}

/** Zero when there is no such file. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return 0;
  }
}

/** Redacts and rotates the logs of a folder incrementally. */
export class LogTender {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** The clean prefix of each file, in bytes. */
  readonly #clean = new Map<string, number>();

  constructor(folder: string, maxBytes = MAX_LOG_BYTES) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  async tend(secrets: readonly string[]): Promise<void> {
    // One may have been written in two pieces.
    const longest = Math.max(0, ...secrets.map((secret) => Buffer.byteLength(secret)));
    for (const name of await readdir(this.#folder)) {
      const log = logNameOf(name);
      if (!log || log.component === "tunnel") continue;
      const path = join(this.#folder, name);
      const size = await sizeOf(path);
      const known = this.#clean.get(name) ?? 0;
      // A smaller file was rotated.
      if (size !== known) await redactFile(path, secrets, size < known ? 0 : Math.max(0, known - longest));
      this.#clean.set(name, size);
      if (!(await cutLog(path, this.#maxBytes))) continue;
      this.#clean.delete(name);
      // Lines written since the last look.
      await redactFile(`${path}.1`, secrets, Math.max(0, size - longest));
    }
  }
}

async function opened(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}
