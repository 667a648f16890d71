/**
 * What the local server makes of a request: the service it goes to, the host at the edge, or the answer it gets instead.
 * The local server asks this function, and so does whoever explains what it would do.
 */

import { hostname, isLoopback } from "../session/hosts.ts";
import type { Routing } from "../session/session.ts";
import { type Failure, forbidden, loop, misdirected, noTargetFor, unknownSession } from "./errors.ts";
import { hopsOf, MAX_HOPS } from "./headers.ts";
import { firstCandidate } from "./identify.ts";
import type { RequestHead } from "./request.ts";
import { type Decision, type Routed, route } from "./route.ts";

/** Who connects: browsers and programs of this machine, or the tunnel. */
export type Listener = "browser" | "tunnel";

/** A session that is served here. */
export interface Known {
  name: string;
  session: Routing;
}

/** All of them. */
export interface KnownSessions<S extends Known> extends Iterable<S> {
  get(name: string): S | undefined;
}

export type DecidedFailure = Failure<"unknown-session" | "no-target" | "loop" | "forbidden" | "misdirected">;

export type Verdict<S extends Known> =
  | { served: S; decision: Routed }
  /** Nobody's here: to be passed on to where this host really is. */
  | { edgeHost: string }
  /** What is known when it is refused. */
  | { failure: DecidedFailure; served?: S; decision?: Decision };

/** `hasSecret` says whether a request through the tunnel carries the secret of its session. */
export function decide<S extends Known>(
  sessions: KnownSessions<S>,
  listener: Listener,
  head: RequestHead,
  hasSecret: (served: S, head: RequestHead) => boolean,
): Verdict<S> {
  const hops = hopsOf(head);
  if (hops >= MAX_HOPS) return { failure: loop(hops, head.host) };
  const served = firstCandidate(head, (name) => sessions.get(name));
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

/**
 * A page of evil.example can have its own host name resolve to this machine, and is then of one origin with whatever
 * answers here (DNS rebinding). It cannot choose the `Host` that the browser sends: only ours are served.
 */
function isExpected(sessions: Iterable<Known>, host: string): boolean {
  const name = hostname(host);
  return name === "" || isLoopback(name) || isUnderDomain(sessions, name);
}

/** A host on the network: nothing that an URL would read as something else, and not this machine. */
function isHostName(name: string): boolean {
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/.test(name) && !isLoopback(name);
}

/** True for the domains of the sessions here, and for every name under them. */
function isUnderDomain(sessions: Iterable<Known>, name: string): boolean {
  for (const { session } of sessions)
    for (const { domain } of session.domains) {
      const known = domain.toLowerCase();
      if (name === known || name.endsWith(`.${known}`)) return true;
    }
  return false;
}
