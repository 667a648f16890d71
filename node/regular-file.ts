/** Reads files that somebody else may have put there: regular files only, and never more than a given size. */
import { constants, type Stats } from "node:fs";
import { lstat, open, stat } from "node:fs/promises";

/** Windows has neither flag. */
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
const CHUNK_BYTES = 64 * 1024;

export interface RegularFile {
  content: Buffer;
  stats: Stats;
}

/** It is not a regular file, or too large. The message is a clause with the path. */
export class IrregularFileError extends Error {}

/**
 * Reads a regular file whole. Rejects with an IrregularFileError for anything else and for more than `maxBytes`, with
 * Node's error when it cannot be opened. A device is not even opened, which may have effects of its own.
 */
export async function readRegularFile(
  path: string,
  maxBytes: number,
  { followLinks = true } = {},
): Promise<RegularFile> {
  assertRegular(path, await (followLinks ? stat : lstat)(path), maxBytes);
  // A FIFO that takes the file's place meanwhile does not block, and a link is not followed.
  const file = await open(path, O_RDONLY | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW));
  try {
    const stats = await file.stat();
    assertRegular(path, stats, maxBytes);
    const chunks: Buffer[] = [];
    // The file may grow while it is read.
    for (let size = 0; size <= maxBytes; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
      if (bytesRead === 0) return { content: Buffer.concat(chunks), stats };
      chunks.push(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
    throw tooLarge(path, maxBytes);
  } finally {
    await file.close();
  }
}

function assertRegular(path: string, stats: Stats, maxBytes: number): void {
  if (!stats.isFile()) throw new IrregularFileError(`${path} is ${kindOf(stats)}, not a regular file`);
  if (stats.size > maxBytes) throw tooLarge(path, maxBytes);
}

function tooLarge(path: string, maxBytes: number): IrregularFileError {
  return new IrregularFileError(`${path} is larger than ${maxBytes / 1_000_000} MB`);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  return "a device";
}
