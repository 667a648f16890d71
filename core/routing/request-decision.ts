/**
 * What the local server makes of a request: the service it goes to, the host at the edge, or the answer it gets instead.
 * The local server asks this function, and so does whoever explains what it would do.
 */

import { hostname, isLoopback } from "../session/host-name.ts";
import type { Routing } from "../session/session-document.ts";
import { firstKnownSession } from "./identify-session.ts";
import {
  forbidden,
  loop,
  misdirected,
  noTargetFor,
  type ProxyFailure,
  unknownSession,
} from "./proxy-failure.ts";
import { hopsOf, MAX_HOPS } from "./proxy-headers.ts";
import { type RouteDecision, type Routed, route } from "./route-request.ts";
import type { RequestHead } from "./routing-input.ts";

/** Who connects: browsers and programs of this machine, or the tunnel. */
export type Listener = "browser" | "tunnel";

/** A session that is served here. */
export interface RoutableSession {
  name: string;
  session: Routing;
}

/** All of them. */
export interface SessionLookup<S extends RoutableSession> extends Iterable<S> {
  get(name: string): S | undefined;
}

export type DecisionFailure = ProxyFailure<
  "unknown-session" | "no-target" | "loop" | "forbidden" | "misdirected"
>;

export type RequestDecision<S extends RoutableSession> =
  | { served: S; decision: Routed }
  /** Nobody's here: to be passed on to where this host really is. */
  | { publicHost: string }
  /** What is known when it is refused. */
  | { failure: DecisionFailure; served?: S; decision?: RouteDecision };

/** `hasSecret` says whether a request through the tunnel carries the secret of its session. */
export function decideRequest<S extends RoutableSession>(
  sessions: SessionLookup<S>,
  listener: Listener,
  head: RequestHead,
  hasSecret: (served: S, head: RequestHead) => boolean,
): RequestDecision<S> {
  const hops = hopsOf(head);
  if (hops >= MAX_HOPS) return { failure: loop(hops, head.host) };
  const served = firstKnownSession(head, (name, source) => {
    const found = sessions.get(name);
    return source === "cookie" && found && !usesCookie(found, head) ? undefined : found;
  });
  if (!served) {
    const name = hostname(head.host);
    const passedOn = listener === "browser" && isHostName(name) && isUnderDomain(sessions, name);
    return passedOn ? { publicHost: name } : { failure: unknownSession };
  }
  if (listener === "tunnel" && !hasSecret(served, head)) return { failure: forbidden, served };
  const decision = route(served.name, served.session, head);
  if (decision.outcome === "no-target")
    return { failure: noTargetFor(served.name, served.session, decision), served, decision };
  if (listener === "browser" && !isExpected(sessions, head.host))
    return { failure: misdirected(head.host), served, decision };
  return { served, decision };
}

/** The cookie counts on the session's own domains only: browsers send it to the hosts of previews and other sessions as well. */
function usesCookie({ session }: RoutableSession, head: RequestHead): boolean {
  const host = hostname(head.host);
  return session.session_cookie !== false && session.domains.some(({ domain }) => hostname(domain) === host);
}

/**
 * A page of evil.example can have its own host name resolve to this machine, and is then of one origin with whatever
 * answers here (DNS rebinding). It cannot choose the `Host` that the browser sends: only ours are served.
 */
function isExpected(sessions: Iterable<RoutableSession>, host: string): boolean {
  const name = hostname(host);
  return name === "" || isLoopback(name) || isUnderDomain(sessions, name);
}

/** A host on the network: nothing that an URL would read as something else, and not this machine. */
function isHostName(name: string): boolean {
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/.test(name) && !isLoopback(name);
}

/** True for the domains of the sessions here, and for every name under them. */
function isUnderDomain(sessions: Iterable<RoutableSession>, name: string): boolean {
  for (const { session } of sessions)
    for (const { domain } of session.domains) {
      const known = domain.toLowerCase();
      if (name === known || name.endsWith(`.${known}`)) return true;
    }
  return false;
}
