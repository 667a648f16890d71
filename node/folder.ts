/** Creates private folders. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Creates the folder and its parents (0700); existing ones stay unchanged. Throws the file system's error.
 * Node's own `recursive` never returns where a folder cannot be made and "does not exist" is the reason, as in /proc.
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    makeOnly(path);
  }
}

/** The parent exists. Another process may have created it meanwhile. */
function makeOnly(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
