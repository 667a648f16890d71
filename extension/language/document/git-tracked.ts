/** Whether git tracks a file. */
import { execFile } from "node:child_process";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** True when git tracks the file. False without git, outside of a repository, and for files that are new or ignored. */
export async function isTracked(path: string): Promise<boolean> {
  try {
    // core.fsmonitor may name a program in the repository's own configuration; it must not run.
    const argv = ["-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", basename(path)];
    await run("git", argv, { cwd: dirname(path), timeout: 5000 });
    return true;
  } catch {
    return false;
  }
}
