/** The folder that holds all state of this user. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** `LINKUP_HOME`, or `.linkup` in the user's own folder. Absolute. */
export function stateHome(env: NodeJS.ProcessEnv): string {
  return resolve(env.LINKUP_HOME || join(homedir(), ".linkup"));
}
