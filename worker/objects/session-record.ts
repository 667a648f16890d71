/** What a session's object stores, and the changes it accepts. */
import type { TunnelData } from "../../core/api/worker-api.ts";
import type { Session } from "../../core/session/session-document.ts";

/** A stored session. Times are milliseconds since the epoch. */
export interface SessionRecord {
  name: string;
  session: Session;
  created: number;
  updated: number;
  /** When a request last looked it up, to within an hour. */
  used: number;
  /** Seconds from the last update; null: as long as it is used. */
  expires_in: number | null;
  /** The directory has this version of it. */
  listed: boolean;
}

export interface TunnelRecord {
  /** The session's name: a tunnel can exist before its session. */
  session: string;
  data: TunnelData;
  /** When its existence was last verified. */
  verified: number;
  /** Sent with requests through the tunnel, so that the local server can tell them from strangers' requests. */
  origin_secret: string;
}

export interface SessionUpsert {
  name: string;
  session: Session;
  /**
   * What to do when the name is in use. `update`: change it when its owner is the same. `fail`: conflict.
   * `match`: succeed when it is the very same session. `require`: as `update`, but a conflict when there is none.
   */
  ifExists: "update" | "fail" | "require" | "match";
  /** The local server's address, for `direct`. */
  tunnelUrl: string | null;
  expires_in: number | null;
}

type TunnelFailure =
  /** This name cannot have a tunnel. */
  { outcome: "refused"; reason: string } | { outcome: "tunnel-failed"; reason: string };

export type TunnelResult = { outcome: "stored"; tunnel: TunnelRecord } | TunnelFailure;

export type UpsertResult =
  /** `tunnel` is null for sessions that are not tunneled. */
  { outcome: "stored"; tunnel: TunnelRecord | null } | { outcome: "conflict" } | TunnelFailure;

/** Whether the upsert may go ahead, given what exists. */
export function mayUpsert(
  { ifExists, session }: SessionUpsert,
  existing: SessionRecord | undefined,
): boolean {
  if (!existing) return ifExists !== "require";
  if (ifExists === "fail") return false;
  if (ifExists === "match") return JSON.stringify(existing.session) === JSON.stringify(session);
  return existing.session.session_token === session.session_token;
}
