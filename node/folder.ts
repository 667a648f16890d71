/** Makes a folder for the user's eyes alone. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes the folder and those above it; one that is there stays as it is. Throws the file system's error.
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

/** With its parent there. Another process may have been faster. */
function makeOnly(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
