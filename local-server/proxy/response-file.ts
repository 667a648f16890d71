/** The file of a fixed response. linkup.yaml is a repository's: only what lies beside it may be read. */
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { dirname, extname, isAbsolute, join, relative, sep } from "node:path";

const MAX_BYTES = 10 * 1024 * 1024;

/** Rejects when the file is outside the config file's folder (links followed), hidden, no file, or too large. */
export async function readResponseFile(configPath: string | null, file: string): Promise<Buffer> {
  if (configPath === null) throw new Error("the session has no linkup.yaml");
  const folder = await realpath(dirname(configPath));
  const path = await realpath(join(folder, file));
  const inside = relative(folder, path);
  if (inside === "" || isAbsolute(inside) || inside.split(sep).some((step) => step.startsWith(".")))
    throw new Error(`${file} is not beside linkup.yaml, or is hidden`);
  // A pipe would not be opened before somebody writes to it.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stat = await handle.stat();
    const { size } = stat;
    if (!stat.isFile()) throw new Error(`${file} is not a file`);
    if (size > MAX_BYTES) throw new Error(`${file} has more than ${MAX_BYTES} bytes`);
    const content = Buffer.alloc(size);
    const { bytesRead } = await handle.read(content, 0, size, 0);
    return content.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

const TYPES: Readonly<Record<string, string>> = {
  ".json": "application/json",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".xml": "application/xml",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".txt": "text/plain; charset=utf-8",
};

export function contentTypeOf(file: string): string {
  return TYPES[extname(file).toLowerCase()] ?? "application/octet-stream";
}
