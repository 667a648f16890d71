/** Who may change a session, delete it and read its tunnel. */
import type { Session } from "../../core/session/session-document.ts";

/** Who makes an API call: the holder of `WORKER_TOKEN`, or of a named token. */
export type Actor = { role: "main" } | { role: "named"; name: string };

/** Default token of preview sessions, the same as in the original. Everybody knows it, so it proves nothing. */
export const PREVIEW_TOKEN = "preview_session";

export interface Ownership {
  session: Pick<Session, "session_token">;
  /** The named token that made the session; null for the main token. */
  maker: string | null;
}

/** The main token, the named token that made the session, and everyone who knows its `session_token`. */
export function isOwner(actor: Actor, sessionToken: string | null, { session, maker }: Ownership): boolean {
  if (actor.role === "main" || actor.name === maker) return true;
  return sessionToken !== null && sessionToken !== PREVIEW_TOKEN && sessionToken === session.session_token;
}

export function makerOf(actor: Actor): string | null {
  return actor.role === "named" ? actor.name : null;
}
