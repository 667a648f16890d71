/** What would happen to a request that a browser or program of this machine sends, step by step. */
import type { Explanation } from "../api/control-api.ts";
import { sessionCandidates } from "./identify-session.ts";
import { decideRequest, type RoutableSession, type SessionLookup } from "./request-decision.ts";
import type { RequestHead } from "./routing-input.ts";

export function explainRequest<S extends RoutableSession>(
  sessions: SessionLookup<S>,
  head: RequestHead,
): Explanation {
  const verdict = decideRequest(sessions, "browser", head, () => true);
  const named = sessionCandidates(head).map((candidate) => ({
    ...candidate,
    known: sessions.get(candidate.name) !== undefined,
  }));
  if ("publicHost" in verdict)
    return { candidates: named, session: null, decision: null, public_host: verdict.publicHost };
  const { served, decision } = verdict;
  const told = { candidates: named, session: served?.name ?? null, decision: decision ?? null };
  if (!("failure" in verdict)) return told;
  const { status, code } = verdict.failure;
  return { ...told, failure: { status, code } };
}
