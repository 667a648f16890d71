/** Explains a request with the functions of the local server and the Worker: where it goes, and whether it is let in. */

import { type AccessDecision, type CheckedProof, decideAccess } from "../../core/access/decide-access.ts";
import { hourOf, proofId, traceProof } from "../../core/access/trace-proof.ts";
import { ACCESS_HEADER } from "../../core/api/access-api.ts";
import type { ServerStatus } from "../../core/api/control-api.ts";
import { routingOf } from "../../core/config/model/config-model.ts";
import { ownValue } from "../../core/own-value.ts";
import type { Explanation } from "../../core/routing/explain-request.ts";
import { explainRequest as explainHead } from "../../core/routing/explain-request.ts";
import { clientAddress } from "../../core/routing/forwarded.ts";
import type { RoutableSession } from "../../core/routing/request-decision.ts";
import { headOfUrl, type RequestHead } from "../../core/routing/routing-input.ts";
import { accessProofs } from "../../core/routing/trace-context.ts";
import { resolveAuto } from "../../core/session/auto-target.ts";
import { isOverrideOn, targetOf } from "../model/session-documents.ts";
import type { SessionRecord } from "../model/state.ts";

export interface ExplainedRequest extends Explanation {
  /** Of a private session: whether the Worker lets the request in when it comes from outside this machine. */
  access?: {
    decision: AccessDecision;
    /** It has a cookie or a token, which only the Worker can check. */
    unchecked: boolean;
  };
}

/** Rejects with a TypeError when the URL is invalid. */
export async function explain(
  sessions: readonly SessionRecord[],
  server: Pick<ServerStatus, "auto"> | undefined,
  url: string,
  headers: Record<string, string>,
  method?: string | undefined,
): Promise<ExplainedRequest> {
  const known = new Map<string, RoutableSession>();
  for (const record of sessions) {
    const { name, config, confirmed, targets, followed } = record;
    if (!name) continue;
    const routing = routingOf(
      config,
      (service) => targetOf(confirmed ?? targets, service),
      (override) => isOverrideOn(record, override),
    );
    for (const service of routing.services)
      if (service.session !== undefined)
        service.fell_back = ownValue(followed?.fallbacks, service.name) ?? undefined;
    const session = resolveAuto(routing, (location) => server?.auto?.[location] ?? "remote");
    known.set(name, { name, session });
  }
  const head = headOfUrl(url, headers, method);
  const explanation = explainHead(
    { get: (name) => known.get(name), [Symbol.iterator]: () => known.values() },
    head,
  );
  const record = sessions.find(({ name }) => name !== null && name === explanation.session);
  if (record?.confirmed_access !== "private") return explanation;
  return { ...explanation, access: await explainAccess(record, url, head) };
}

async function explainAccess(
  { name, config, trace_key }: SessionRecord,
  url: string,
  head: RequestHead,
): Promise<NonNullable<ExplainedRequest["access"]>> {
  const now = Date.now();
  const proofs = await checkedTraces(name!, trace_key, head, now);
  const request = {
    name: name!,
    routing: config,
    access: {
      open: config.linkup.access_open ?? [],
      // The Worker knows whether an invite still holds.
      invites: Object.fromEntries(proofs.map(({ id }) => [id, Number.MAX_SAFE_INTEGER])),
    },
    head,
    client: clientAddress(/^http:/i.test(url) ? "http" : "https", head.host),
  };
  const unchecked = Boolean(head.header(ACCESS_HEADER) || head.header("cookie")?.includes("linkup-access"));
  return { decision: decideAccess(request, proofs, now), unchecked };
}

async function checkedTraces(
  session: string,
  key: string | undefined,
  { header }: RequestHead,
  now: number,
): Promise<CheckedProof[]> {
  const hour = hourOf(now);
  const found = ["tracestate", "baggage"].flatMap((name) => accessProofs(header(name)));
  return Promise.all(
    found.map(async (proof) => {
      const id = proofId(proof);
      const made = key ? [hour, hour - 1].map((hour) => traceProof(key, session, id, hour)) : [];
      return { kind: "trace" as const, id, genuine: (await Promise.all(made)).includes(proof) };
    }),
  );
}
