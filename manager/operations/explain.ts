/** Explains a request with the routing functions of the local server and the Worker. */

import type { ServerStatus } from "../../core/api/control-api.ts";
import { routingOf } from "../../core/config/model/config-model.ts";
import type { Explanation } from "../../core/routing/explain-request.ts";
import { explainRequest as explainHead } from "../../core/routing/explain-request.ts";
import type { RoutableSession } from "../../core/routing/request-decision.ts";
import { headOfUrl } from "../../core/routing/routing-input.ts";
import { resolveAuto } from "../../core/session/auto-target.ts";
import { targetOf } from "../model/documents.ts";
import type { SessionRecord } from "../model/state.ts";

/** Throws a TypeError when the URL is invalid. */
export function explain(
  sessions: readonly SessionRecord[],
  server: Pick<ServerStatus, "auto"> | undefined,
  url: string,
  headers: Record<string, string>,
): Explanation {
  const known = new Map<string, RoutableSession>();
  for (const { name, config, confirmed, targets, followed } of sessions) {
    if (!name) continue;
    const routing = routingOf(config, (service) => targetOf(confirmed ?? targets, service));
    for (const service of routing.services)
      if (service.session !== undefined) service.fell_back = followed?.fallbacks[service.name] ?? undefined;
    const session = resolveAuto(routing, (location) => server?.auto?.[location] ?? "remote");
    known.set(name, { name, session });
  }
  return explainHead(
    { get: (name) => known.get(name), [Symbol.iterator]: () => known.values() },
    headOfUrl(url, headers),
  );
}
