/** What would happen to a request that a browser or program of this machine sends, step by step. */
import type { Explanation } from "../api/local-server.ts";
import { decide, type Known, type KnownSessions } from "./decide.ts";
import { candidates } from "./identify.ts";
import type { RequestHead } from "./request.ts";

export function explain<S extends Known>(sessions: KnownSessions<S>, head: RequestHead): Explanation {
  const verdict = decide(sessions, "browser", head, () => true);
  const named = candidates(head).map((candidate) => ({
    ...candidate,
    known: sessions.get(candidate.name) !== undefined,
  }));
  if ("edgeHost" in verdict)
    return { candidates: named, session: null, decision: null, edge_host: verdict.edgeHost };
  const { served, decision } = verdict;
  const told = { candidates: named, session: served?.name ?? null, decision: decision ?? null };
  if (!("failure" in verdict)) return told;
  const { status, code } = verdict.failure;
  return { ...told, failure: { status, code } };
}
