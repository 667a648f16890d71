/** Whether version control has a file. */
import { execFile } from "node:child_process";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** True when git tracks the file. False without git, outside of a repository, and for files that are new or ignored. */
export async function isTracked(path: string): Promise<boolean> {
  try {
    // A repository's own configuration may name a program to ask about changes: not needed here.
    const argv = ["-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", basename(path)];
    await run("git", argv, { cwd: dirname(path), timeout: 5000 });
    return true;
  } catch {
    return false;
  }
}
