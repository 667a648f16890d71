/** What the Worker is deployed with: its bindings, variables and secrets. */
import type { DirectoryObject } from "./directory-object.ts";
import type { SessionObject } from "./session-object.ts";

export interface Env {
  /** One object per session, its id made from the session's name. */
  SESSIONS: DurableObjectNamespace<SessionObject>;
  /** One object, named `DIRECTORY_NAME`, that knows every session's name. */
  DIRECTORY: DurableObjectNamespace<DirectoryObject>;
  /** Secret. The bearer token of the API. */
  WORKER_TOKEN: string;
  /** `direct`: no tunnels, the Worker runs on the machine whose services it serves. */
  LINKUP_TUNNEL?: string;
  /** With `direct`: where the local server listens for the tunnel, when the upsert request does not say. */
  LINKUP_DIRECT_TUNNEL_URL?: string;
  /** What a tunnel's name starts with, before the session's name. */
  TUNNEL_NAME_PREFIX?: string;
}

/** The one object of `DIRECTORY`. */
export const DIRECTORY_NAME = "directory";

export function isDirect(env: Env): boolean {
  return env.LINKUP_TUNNEL === "direct";
}
