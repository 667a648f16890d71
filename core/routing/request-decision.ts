/**
 * Decides what the local server does with a request: forward it to a service, forward it to the public origin of its
 * host, or answer it with an error. The local server and `explain` call the same function.
 */

import { hostname, isLoopback } from "../session/host-name.ts";
import type { Routing } from "../session/session-document.ts";
import { OVERRIDE_HEADER } from "./choose-override.ts";
import { acceptsSource, firstKnownSession } from "./identify-session.ts";
import {
  forbidden,
  loop,
  misdirected,
  noTarget,
  type ProxyFailure,
  pathTooLong,
  unknownSession,
} from "./proxy-failure.ts";
import { hopsOf, MAX_HOPS } from "./proxy-headers.ts";
import { isPathTooLong, type RouteDecision, type Routed, route } from "./route-request.ts";
import { type RequestHead, withoutHeader } from "./routing-input.ts";
import { TARGET_SESSION_HEADER } from "./session-target.ts";

/** The listener that accepted the connection: for browsers and programs on this machine, or for the tunnel. */
export type Listener = "browser" | "tunnel";

/** A running session. */
export interface RoutableSession {
  name: string;
  session: Routing;
}

/** The running sessions. */
export interface SessionLookup<S extends RoutableSession> extends Iterable<S> {
  get(name: string): S | undefined;
}

export type DecisionFailure = ProxyFailure<
  "unknown-session" | "no-target" | "loop" | "forbidden" | "misdirected" | "path-too-long"
>;

export type RequestDecision<S extends RoutableSession> =
  | { served: S; decision: Routed }
  /** No local session: forward to the host's public origin. */
  | { publicHost: string }
  /** Refused; the session and the route are given as far as they are known. */
  | { failure: DecisionFailure; served?: S; decision?: RouteDecision };

/** `hasSecret`: whether a request through the tunnel carries the secret of its session. */
export function decideRequest<S extends RoutableSession>(
  sessions: SessionLookup<S>,
  listener: Listener,
  head: RequestHead,
  hasSecret: (served: S, head: RequestHead) => boolean,
): RequestDecision<S> {
  const hops = hopsOf(head);
  if (hops >= MAX_HOPS) return { failure: loop(hops, head.host) };
  // Only the Worker may say so: without the secret of that session it is refused below.
  const target = listener === "tunnel" ? head.header(TARGET_SESSION_HEADER) : undefined;
  const served = target
    ? sessions.get(target)
    : firstKnownSession(head, (name, source) => {
        const candidate = sessions.get(name);
        return candidate && acceptsSource(candidate.session, source, head) ? candidate : undefined;
      });
  if (!served) {
    const name = hostname(head.host);
    const hasPublicOrigin = listener === "browser" && isHostName(name) && isUnderDomain(sessions, name);
    return hasPublicOrigin ? { publicHost: name } : { failure: unknownSession };
  }
  if (listener === "tunnel" && !hasSecret(served, head)) return { failure: forbidden, served };
  if (target && !served.session.share_targets) return { failure: forbidden, served };
  if (isPathTooLong(head.target)) return { failure: pathTooLong, served };
  // Overrides are for a session's own requests. Another session that routes here may have one of the same name.
  const decision = route(served.name, served.session, target ? withoutHeader(head, OVERRIDE_HEADER) : head);
  if (decision.outcome === "no-target")
    return { failure: noTarget(served.name, served.session, decision), served, decision };
  // Nearly always it is a host of this very session.
  if (
    listener === "browser" &&
    !isUnderDomain([served], hostname(head.host)) &&
    !isServedHost(sessions, head.host)
  )
    return { failure: misdirected(head.host), served, decision };
  return { served, decision };
}

/**
 * A page of evil.example can make its own host name resolve to this machine, and is then of the same origin as the
 * services here (DNS rebinding). It cannot choose the `Host` that the browser sends, so only known hosts are served.
 */
function isServedHost(sessions: Iterable<RoutableSession>, host: string): boolean {
  const name = hostname(host);
  return name === "" || isLoopback(name) || isUnderDomain(sessions, name);
}

/** A host name that is safe in a URL, and not a name of this machine. */
function isHostName(name: string): boolean {
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/.test(name) && !isLoopback(name);
}

/** True for the domains of the running sessions, and for every name below them. */
function isUnderDomain(sessions: Iterable<RoutableSession>, name: string): boolean {
  for (const { session } of sessions)
    for (const { domain } of session.domains) {
      const known = domain.toLowerCase();
      if (name === known || name.endsWith(`.${known}`)) return true;
    }
  return false;
}
