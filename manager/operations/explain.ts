/** What would happen to a request, by the functions that the local server and the Worker ask. */

import type { Explanation } from "../../core/api/local-server.ts";
import { routingOf } from "../../core/config/targets.ts";
import type { Known } from "../../core/routing/decide.ts";
import { explain as explainHead } from "../../core/routing/explain.ts";
import { headOfUrl } from "../../core/routing/request.ts";
import { targetOf } from "../model/routing.ts";
import type { SessionRecord } from "../model/state.ts";

/** Throws a TypeError when the URL is none. */
export function explain(
  sessions: readonly SessionRecord[],
  url: string,
  headers: Record<string, string>,
): Explanation {
  const known = new Map<string, Known>();
  for (const { name, config, confirmed, targets } of sessions) {
    if (!name) continue;
    const session = routingOf(config, (service) => targetOf(confirmed ?? targets, service));
    known.set(name, { name, session });
  }
  return explainHead(
    { get: (name) => known.get(name), [Symbol.iterator]: () => known.values() },
    headOfUrl(url, headers),
  );
}
