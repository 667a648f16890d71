/** What becomes of a request: the service it goes to, the host at the edge, or the answer it gets instead. */
import { createHash, timingSafeEqual } from "node:crypto";
import { loop, noTargetFor, unknownSession } from "../../core/failure.ts";
import { HOPS_HEADER, MAX_HOPS, ORIGIN_SECRET_HEADER } from "../../core/forward.ts";
import { hostname, isLoopback } from "../../core/hosts.ts";
import type { RequestHead } from "../../core/request.ts";
import { type Decision, type Routed, route } from "../../core/route.ts";
import type { Served, Sessions } from "../sessions.ts";
import { type Failure, forbidden, misdirected } from "./failures.ts";

export type Listener = "browser" | "tunnel";

export type Verdict =
  | { served: Served; decision: Routed }
  /** Nobody's here: to be passed on to where this host really is. */
  | { edgeHost: string }
  /** What is known when it is refused. */
  | { failure: Failure; served?: Served; decision?: Decision };

export function decide(sessions: Sessions, listener: Listener, head: RequestHead): Verdict {
  const hops = hopsOf(head);
  if (hops >= MAX_HOPS) return { failure: loop(hops, head.host) };
  const served = sessions.find(head);
  if (!served) {
    const name = hostname(head.host);
    const passedOn = listener === "browser" && isHostName(name) && isUnderDomain(sessions, name);
    return passedOn ? { edgeHost: name } : { failure: unknownSession };
  }
  if (listener === "tunnel" && !hasSecret(served, head)) return { failure: forbidden, served };
  const decision = route(served.name, served.session, head);
  if (decision.outcome === "no-target")
    return { failure: noTargetFor(served.name, served.session, decision), served, decision };
  if (listener === "browser" && !isExpected(sessions, head.host))
    return { failure: misdirected(head.host), served, decision };
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
  return name === "" || isLoopback(name) || isUnderDomain(sessions, name);
}

/** A host on the network: nothing that an URL would read as something else, and not this machine. */
function isHostName(name: string): boolean {
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/.test(name) && !isLoopback(name);
}

/** True for the domains of the sessions here, and for every name under them. */
function isUnderDomain(sessions: Sessions, name: string): boolean {
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
