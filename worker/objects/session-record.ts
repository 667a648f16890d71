/** What a session's object keeps, and what it is asked to change. */
import type { TunnelData } from "../../core/api/control-api.ts";
import type { Session } from "../../core/session/session-document.ts";

/** What is kept of a session. Times are milliseconds since the epoch. */
export interface SessionRecord {
  name: string;
  session: Session;
  created: number;
  updated: number;
  /** When a request last asked for it, to within an hour. */
  used: number;
  /** Seconds from the last update; null: as long as it is used. */
  expires_in: number | null;
  /** The directory knows of it as it is. */
  listed: boolean;
}

export interface TunnelRecord {
  /** The session's name: a tunnel can be there before the session. */
  session: string;
  data: TunnelData;
  /** When it was last seen to be there. */
  verified: number;
  /** What requests through the tunnel carry, so that the laptop knows that they come from here. */
  origin_secret: string;
}

export interface Upsert {
  name: string;
  session: Session;
  /**
   * What may be there already: anything of the same owner, nothing, only a session of the same owner,
   * or nothing but the very same session. Everything else is a conflict.
   */
  over: "own" | "nothing" | "only-own" | "same";
  /** The laptop's address, for `direct`. */
  tunnelUrl: string | null;
  expires_in: number | null;
}

type NoTunnel =
  /** This name cannot have a tunnel. */
  { outcome: "refused"; reason: string } | { outcome: "tunnel-failed"; reason: string };

export type OpenedTunnel = { outcome: "stored"; tunnel: TunnelRecord } | NoTunnel;

export type Upserted =
  /** `tunnel` is null for sessions that are not tunneled. */
  { outcome: "stored"; tunnel: TunnelRecord | null } | { outcome: "conflict" } | NoTunnel;

/** Whether the wish may be granted over what is there. */
export function isFree({ over, session }: Upsert, existing: SessionRecord | undefined): boolean {
  if (!existing) return over !== "only-own";
  if (over === "nothing") return false;
  if (over === "same") return JSON.stringify(existing.session) === JSON.stringify(session);
  return existing.session.session_token === session.session_token;
}
