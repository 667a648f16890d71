import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Everything that tests and their processes put into the system's temporary folder goes into one of the run's own,
 * which is removed at its end: a worker of vitest has no last moment of its own to do so.
 * The name is short, because sockets are made in it and their paths may not be long.
 */
export default function setup(): () => void {
  // macOS's own is long by itself.
  const around = process.platform === "darwin" ? realpathSync("/tmp") : tmpdir();
  const folder = mkdtempSync(join(around, "lt-"));
  for (const name of process.platform === "win32" ? ["TEMP", "TMP"] : ["TMPDIR"]) process.env[name] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
