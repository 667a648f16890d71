/** Explains what the local server would do with a request from a browser or program on this machine. */
import { type SessionCandidate, sessionCandidates } from "./identify-session.ts";
import { decideRequest, type RoutableSession, type SessionLookup } from "./request-decision.ts";
import type { RouteDecision } from "./route-request.ts";
import type { RequestHead } from "./routing-input.ts";

/** The steps of the decision for one request, as JSON. */
export interface Explanation {
  /** The session names found in the request, best first, and whether each is a running session. */
  candidates: (SessionCandidate & { known: boolean })[];
  session: string | null;
  /** Null when no session was found. */
  decision: RouteDecision | null;
  /** Without a local session: the host whose public origin the request is forwarded to. */
  public_host?: string;
  /** Linkup's own response instead of a service's: its status (422, 404…) and stable code. */
  failure?: { status: number; code: string };
}

export function explainRequest<S extends RoutableSession>(
  sessions: SessionLookup<S>,
  head: RequestHead,
): Explanation {
  const decided = decideRequest(sessions, "browser", head, () => true);
  const candidates = sessionCandidates(head).map((candidate) => ({
    ...candidate,
    known: sessions.get(candidate.name) !== undefined,
  }));
  if ("publicHost" in decided)
    return { candidates, session: null, decision: null, public_host: decided.publicHost };
  const { served, decision } = decided;
  const explanation = { candidates, session: served?.name ?? null, decision: decision ?? null };
  if (!("failure" in decided)) return explanation;
  const { status, code } = decided.failure;
  return { ...explanation, failure: { status, code } };
}
