/** The folder that holds all state of this user. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** `LINKUP_HOME`, or the place that the operating system has for such things. Absolute. */
export function stateHome(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  if (env.LINKUP_HOME) return resolve(env.LINKUP_HOME);
  if (platform === "darwin") return join(homedir(), "Library", "Application Support", "linkup");
  if (platform === "win32") return join(env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "linkup");
  return join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "linkup");
}
