/** What a session's object stores, and the changes it accepts. */
import type { AccessDetails } from "../../core/api/access-api.ts";
import type { TunnelData } from "../../core/api/worker-api.ts";
import type { RoutedService, Session, SessionAccess } from "../../core/session/session-document.ts";
import { type Actor, isOwner, type Ownership } from "./owner.ts";

/** A stored session. Times are milliseconds since the epoch. */
export interface StoredSession {
  name: string;
  session: Session;
  /** The named token that made it; null for the main token, missing in records of earlier versions. */
  maker?: string | null;
  created: number;
  updated: number;
  /** When a request last looked it up, to within an hour. */
  used: number;
  /** Seconds from the last update; null: as long as it is used. */
  expires_in: number | null;
  /** Where the owner's machine has its services, for those who may route them. */
  routed?: Record<string, RoutedService>;
  /** The directory has this version of it. */
  listed: boolean;
}

export interface TunnelRecord {
  /** The session's name: a tunnel can exist before its session. */
  session: string;
  data: TunnelData;
  /** As in `StoredSession`. */
  maker?: string | null;
  /** When its existence was last verified. */
  verified: number;
  /** When it was made; missing in records of earlier versions. */
  created?: number;
  /** The `session_token` of the stopped session for whose next start it stays. */
  kept_for?: string;
  /** Sent with requests through the tunnel, so that the local server can tell them from strangers' requests. */
  origin_secret: string;
}

export interface SessionUpsert {
  name: string;
  session: Session;
  actor: Actor;
  /**
   * What to do when the name is in use. `update`: change it when its owner is the same. `fail`: conflict.
   * `match`: succeed when it is the very same session. `require`: as `update`, but a conflict when the session is missing.
   * `replace`: change it also under another `session_token`, which takes the main token or the one that made it.
   */
  ifExists: "update" | "fail" | "require" | "match" | "replace";
  /** The local server's address, for `direct`. */
  tunnelUrl: string | null;
  /** The id of the tunnel that Cloudflare refuses to the client's cloudflared. */
  refusedTunnel: string | null;
  /** Host of the API, whose first label is not available as a name. */
  workerHost: string;
  expires_in: number | null;
  /** Undefined: as it is, or the default for a new session. */
  access: SessionAccess | undefined;
  open: string[] | undefined;
  routed: Record<string, RoutedService> | undefined;
  defaultAccess: SessionAccess;
}

type TunnelFailure =
  /** The session must not have this name or a domain, or cannot have a tunnel. */
  | { outcome: "refused"; reason: string }
  /** `taken`: something of others has the tunnel's name or host. */
  | { outcome: "tunnel-failed"; reason: string; taken: boolean };

export type TunnelResult =
  | { outcome: "stored"; tunnel: TunnelRecord }
  /** The caller does not own the session. */
  | { outcome: "forbidden" }
  | TunnelFailure;

export type UpsertResult =
  /** `tunnel` is null for sessions that are not tunneled. */
  | { outcome: "stored"; tunnel: TunnelRecord | null; access: AccessDetails }
  | { outcome: "conflict" }
  | TunnelFailure;

/** Whether the upsert may go ahead, given what exists. */
export function mayUpsert(
  { ifExists, session, actor }: SessionUpsert,
  existing: StoredSession | undefined,
): boolean {
  if (!existing) return ifExists !== "require";
  if (ifExists === "fail") return false;
  if (ifExists === "match") return JSON.stringify(existing.session) === JSON.stringify(session);
  const owners = ownership(existing);
  if (ifExists === "replace") return isOwner(actor, session.session_token, owners);
  // By contract also the main token changes a session only under the same session_token.
  const { session_token } = session;
  return existing.session.session_token === session_token && isOwner(actor, session_token, owners);
}

export function ownership({ session, maker = null }: StoredSession): Ownership {
  return { session, maker };
}
