/** Reads the ends of the components' logs. */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type LogName, logFolder, logNameOf } from "../node/log-files.ts";

export interface LogQuery {
  component?: string | undefined;
  session?: string | undefined;
  /** How many lines of each. */
  lines: number;
  /** A byte offset: only lines that end before it. */
  before?: number | undefined;
}

export interface LogEnd extends LogName {
  /** Oldest first. */
  lines: string[];
  /** The byte offset at which each of them starts. */
  offsets: number[];
}

/** Bytes read of one log. */
const MAX_BYTES = 128 * 1024;

/** The logs that match, by name. A log that cannot be read is left out. */
export async function readLogs(home: string, query: LogQuery): Promise<LogEnd[]> {
  const folder = logFolder(home);
  const names = await readdir(folder).catch((): string[] => []);
  const ends = names.sort().map(async (file) => {
    const log = logNameOf(file);
    if (!log || (query.component !== undefined && log.component !== query.component)) return undefined;
    if (query.session !== undefined && log.session !== undefined && log.session !== query.session)
      return undefined;
    const end = await endOf(join(folder, file), query).catch(() => undefined);
    return end && { ...log, ...end };
  });
  return (await Promise.all(ends)).filter((end) => end !== undefined);
}

async function endOf(path: string, { lines, before }: LogQuery): Promise<Pick<LogEnd, "lines" | "offsets">> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const to = Math.min(size, before ?? size);
    const from = Math.max(0, to - MAX_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
    const bytes = buffer.subarray(0, bytesRead);
    const found: { at: number; text: string }[] = [];
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf("\n", start);
      const stop = end === -1 ? bytes.length : end;
      // The first line may be incomplete.
      if (stop > start && (start > 0 || from === 0))
        found.push({ at: from + start, text: bytes.subarray(start, stop).toString("utf8") });
      start = stop + 1;
    }
    const last = found.slice(-lines);
    return { lines: last.map(({ text }) => text), offsets: last.map(({ at }) => at) };
  } finally {
    await file.close();
  }
}
