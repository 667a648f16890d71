/** The folder that holds all state of this user, and paths that start at the user's own. */
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** `LINKUP_HOME`, or `.linkup` in the user's own folder. Absolute, and the folder itself where a link leads to it. */
export function stateHome(env: NodeJS.ProcessEnv): string {
  const path = resolve(expandTilde(env.LINKUP_HOME || join(homedir(), ".linkup")));
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** A `~` at the start is the user's own folder, also where no shell reads it: in `--config=~/…`, env files and settings. */
export function expandTilde(path: string): string {
  return /^~(?=$|[/\\])/.test(path) ? join(homedir(), path.slice(1)) : path;
}
