import type { SessionAccess } from "../core/session/session-document.ts";

/**
 * What the Worker is deployed with: its bindings, variables and secrets. The namespaces have no type of object here:
 * `sessionObject` and `directory` give typed stubs, so that this module depends on none of the others.
 */
export interface Env {
  /** One object per session, its id derived from the session's name. */
  SESSIONS: DurableObjectNamespace;
  /** A single object that knows every session's name. */
  DIRECTORY: DurableObjectNamespace;
  /** Secret. The bearer token of the API. */
  WORKER_TOKEN: string;
  /** For clients of v1 with a named token: `any-token` lets each of them read every session's tunnel. */
  LINKUP_V1_TUNNEL?: string;
  /** For hops of the original: `any` accepts `linkup-destination` from everyone. */
  LINKUP_DESTINATION?: string;
  /** Comma-separated; replaces the list of reserved session names. */
  LINKUP_RESERVED_NAMES?: string;
  /** `direct`: no tunnels, the Worker runs on the machine whose services it serves. */
  LINKUP_TUNNEL?: string;
  /** With `direct`: where the local server listens for the tunnel, unless the upsert request says so. */
  LINKUP_DIRECT_TUNNEL_URL?: string;
  /** Prepended to the session's name to form the tunnel's name; `linkup-tunnel-<zone>-` when not given. */
  TUNNEL_NAME_PREFIX?: string;
  CLOUDFLARE_ACCOUNT_ID?: string;
  /** The zone whose host names lead to the tunnels. */
  CLOUDFLARE_TUNNEL_ZONE_ID?: string;
  /** Secret. Needs the permissions Account · Cloudflare Tunnel · Edit and Zone · DNS · Edit. */
  CLOUDFLARE_API_TOKEN?: string;
  /** Overrides the address of Cloudflare's API. */
  CLOUDFLARE_API_BASE_URL?: string;
  /** Comma-separated hosts of the operators' page; default: those whose first label is `linkup`. Empty: no page. */
  LINKUP_PAGE_HOSTS?: string;
  /** `private`: sessions are private unless their upsert request says otherwise. */
  LINKUP_DEFAULT_ACCESS?: string;
  /** API calls per token and minute; default 600, unlimited with `direct`. */
  LINKUP_API_RATE?: string;
  /** Idle time after which a session is deleted, in seconds; default 30 days. */
  LINKUP_SESSION_UNUSED_S?: string;
  /** Idle time after which a tunnel is deleted, in seconds; default 7 days. */
  LINKUP_TUNNEL_UNUSED_S?: string;
  /** With the next one: Cloudflare Access is a proof for private sessions. The team's name, or its domain `acme.cloudflareaccess.com`. */
  LINKUP_ACCESS_TEAM_DOMAIN?: string;
  /** Comma-separated audience tags of the Access applications in front of the sessions' hosts. */
  LINKUP_ACCESS_AUDIENCE?: string;
}

/** Undefined: the default list. */
export function reservedNames({ LINKUP_RESERVED_NAMES: names }: Env): string[] | undefined {
  return names?.split(",").map((name) => name.trim().toLowerCase());
}

/** A word that is not known must not open sessions. */
export function defaultAccess({ LINKUP_DEFAULT_ACCESS: access = "" }: Env): SessionAccess {
  return access === "" || access === "public" ? "public" : "private";
}

export function isDirect(env: Env): boolean {
  return env.LINKUP_TUNNEL === "direct";
}
