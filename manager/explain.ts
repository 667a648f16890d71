/** What would happen to a request, by the functions that the local server and the Worker ask. */
import { routingOf } from "../core/config/targets.ts";
import type { Explanation } from "../core/control.ts";
import { candidates } from "../core/identify.ts";
import { headOfUrl } from "../core/request.ts";
import { route } from "../core/route.ts";
import { targetOf } from "./session/routing.ts";
import type { SessionRecord } from "./state/state.ts";

/** Throws a TypeError when the URL is none. */
export function explain(
  sessions: readonly SessionRecord[],
  url: string,
  headers: Record<string, string>,
): Explanation {
  const head = headOfUrl(url, headers);
  const recordOf = (name: string) => sessions.find((record) => record.name === name);
  const all = candidates(head).map((candidate) => ({
    ...candidate,
    known: recordOf(candidate.name) !== undefined,
  }));
  const record = sessions.find(({ name }) => name === all.find(({ known }) => known)?.name);
  if (!record?.name) return { candidates: all, session: null, decision: null };
  const routing = routingOf(record.config, (service) =>
    targetOf(record.confirmed ?? record.targets, service),
  );
  return { candidates: all, session: record.name, decision: route(record.name, routing, head) };
}
