import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Everything that tests and their processes put into the system's temporary folder goes into one of the run's own,
 * which is removed at its end: a worker of vitest has no last moment of its own to do so.
 * The name is short, because sockets are made in it and their paths may not be long.
 */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "lt-"));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
