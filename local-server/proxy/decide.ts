/** What becomes of a request: the service it goes to, or the answer it gets instead. */
import { createHash, timingSafeEqual } from "node:crypto";
import { HOPS_HEADER, MAX_HOPS, ORIGIN_SECRET_HEADER } from "../../core/forward.ts";
import { hostname, isLoopback } from "../../core/hosts.ts";
import type { RequestHead } from "../../core/request.ts";
import { type Routed, route } from "../../core/route.ts";
import type { Served, Sessions } from "../sessions.ts";
import { type Failure, forbidden, loop, misdirected, noTargetFor, unknownSession } from "./failures.ts";

export type Listener = "browser" | "tunnel";

export type Verdict = { served: Served; decision: Routed } | { failure: Failure };

export function decide(sessions: Sessions, listener: Listener, head: RequestHead): Verdict {
  if (hopsOf(head) >= MAX_HOPS) return { failure: loop(head.host) };
  const served = sessions.find(head);
  if (!served) return { failure: unknownSession };
  if (listener === "tunnel" && !hasSecret(served, head)) return { failure: forbidden };
  const decision = route(served.name, served.session, head);
  if (decision.outcome === "no-target") return { failure: noTargetFor(served, decision) };
  if (listener === "browser" && !isExpected(sessions, head.host)) return { failure: misdirected(head.host) };
  return { served, decision };
}

/** How often the request has come through Linkup before. */
export function hopsOf(head: Pick<RequestHead, "header">): number {
  return Number(head.header(HOPS_HEADER)) || 0;
}

/**
 * A page of evil.example can have its own host name resolve to this machine, and is then of one origin with whatever
 * answers here (DNS rebinding). It cannot choose the `Host` that the browser sends: only ours are served.
 */
function isExpected(sessions: Sessions, host: string): boolean {
  const name = hostname(host);
  if (name === "" || isLoopback(name)) return true;
  for (const { session } of sessions)
    for (const { domain } of session.domains) {
      const known = domain.toLowerCase();
      if (name === known || name.endsWith(`.${known}`)) return true;
    }
  return false;
}

/** A Worker of the original mints no secret: then none is asked for. Hashes have one length, so time tells nothing. */
function hasSecret({ originSecret }: Served, head: RequestHead): boolean {
  if (originSecret === null) return true;
  return timingSafeEqual(sha256(head.header(ORIGIN_SECRET_HEADER) ?? ""), sha256(originSecret));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
