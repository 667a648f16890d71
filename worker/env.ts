/** What the Worker is deployed with: its bindings, variables and secrets. */
import type { DirectoryObject } from "./objects/directory-object.ts";
import type { SessionObject } from "./objects/session-object.ts";

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
  CLOUDFLARE_ACCOUNT_ID?: string;
  /** The zone whose host names lead to the tunnels. */
  CLOUDFLARE_TUNNEL_ZONE_ID?: string;
  /** Secret. Needs the rights Account · Cloudflare Tunnel · Edit and Zone · DNS · Edit. */
  CLOUDFLARE_API_TOKEN?: string;
  /** Another address of Cloudflare's API. */
  CLOUDFLARE_API_BASE_URL?: string;
  /** How many calls of the API one token may make in a minute; 600 when not set, unlimited with `direct`. */
  LINKUP_API_RATE?: string;
  /** After how many seconds without use a session is deleted; 30 days when not set. */
  LINKUP_SESSION_UNUSED_S?: string;
  /** After how many seconds without use a tunnel is deleted; 7 days when not set. */
  LINKUP_TUNNEL_UNUSED_S?: string;
}

/** The one object of `DIRECTORY`. */
export const DIRECTORY_NAME = "directory";

export function isDirect(env: Env): boolean {
  return env.LINKUP_TUNNEL === "direct";
}
