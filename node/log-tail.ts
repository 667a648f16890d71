/** The end of a log file, then what is appended to it. */
import { open } from "node:fs/promises";

/** Bytes read of what was there before. */
const TAIL_BYTES = 32 * 1024;

export class LogTail {
  readonly path: string;
  #offset: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Whole lines only, unless it is read for the last time. Empty while there is no such file. */
  async more(isLast: boolean): Promise<string> {
    const file = await open(this.path, "r").catch(unlessGone);
    if (!file) return "";
    try {
      const { size } = await file.stat();
      const end = Math.max(0, size - TAIL_BYTES);
      // A file that shrank was replaced: read it from its start.
      const from = this.#offset === undefined ? end : this.#offset > size ? 0 : this.#offset;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      const bytes = buffer.subarray(0, bytesRead);
      // The first line may be incomplete: skip it.
      const start = this.#offset === undefined && from > 0 ? bytes.indexOf("\n") + 1 : 0;
      const stop = isLast ? bytes.length : bytes.lastIndexOf("\n") + 1;
      this.#offset = from + Math.max(stop, start);
      return bytes.subarray(start, Math.max(stop, start)).toString("utf8");
    } finally {
      await file.close();
    }
  }
}

/** A log may be rotated away between listing and opening it. */
function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
