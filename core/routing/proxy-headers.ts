/** The headers that a hop changes on the request to the service, and on the response. */
import { hostname, withoutSession } from "../session/host-name.ts";
import type { Routing } from "../session/session-document.ts";
import { OVERRIDE_HEADER } from "./choose-override.ts";
import { destinationOf } from "./destination.ts";
import { hostFrom } from "./identify-session.ts";
import type { Routed } from "./route-request.ts";
import { type RequestHead, withoutHeader } from "./routing-input.ts";
import { baggageFor, isTraceparent, newTraceparent, tracestateFor } from "./trace-context.ts";

/** Headers of one connection, never forwarded (RFC 9110, 7.6.1), besides those that `Connection` names. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The secret that the Worker puts on requests through a tunnel; the local server checks and removes it. */
export const ORIGIN_SECRET_HEADER = "linkup-origin-secret";

/**
 * The number of Linkup hops that a request has passed, to detect loops. Services that copy all headers to their own
 * requests increase it too, so the maximum leaves room.
 */
export const HOPS_HEADER = "linkup-hops";
export const MAX_HOPS = 16;

/**
 * Between the local server and the Worker, in either direction, while somebody watches the session: joins what both hops
 * report of one exchange. 16 hexadecimal digits; every hop sends its own id.
 */
export const HOP_ID_HEADER = "linkup-hop";

/** How often the request has passed Linkup before. A value that no hop writes counts as the maximum. */
export function hopsOf(head: Pick<RequestHead, "header">): number {
  const hops = head.header(HOPS_HEADER);
  if (!hops) return 0;
  return /^\d{1,3}$/.test(hops) ? Number(hops) : MAX_HOPS;
}

/** The id that the hop before gave the request; null without one that a hop writes. */
export function hopIdOf(head: Pick<RequestHead, "header">): string | null {
  const id = head.header(HOP_ID_HEADER);
  return id && /^[0-9a-f]{16}$/.test(id) ? id : null;
}

/**
 * `linkup-destination` counts only on the second hop, which recognises the first by the origin secret or, where that
 * must not be shown to the host behind a remote location, by this header: the hexadecimal HMAC-SHA256 of
 * `destinationMessage` with the session's origin secret as its key. Anyone else could reach services without a route.
 */
export const DESTINATION_PROOF_HEADER = "linkup-destination-proof";

export function destinationMessage(session: string, destination: string): string {
  return `${session}\n${destination}`;
}

/** The head without a `linkup-destination` that came from outside. */
export function withoutDestination(head: RequestHead): RequestHead {
  return withoutHeader(head, "linkup-destination");
}

/**
 * The headers that a hop sets on the request to the service: `[lower-case name, value]`, replacing what is there.
 * `proof`: the member of the trace headers that lets the service's own calls into a private session; null to remove one.
 */
export function addedHeaders(
  name: string,
  session: Pick<Routing, "domains" | "baggage">,
  decision: Routed,
  head: RequestHead,
  proof?: string | null,
): [string, string][] {
  const added: [string, string][] = [];
  if (!isTraceparent(head.header("traceparent"))) added.push(["traceparent", newTraceparent()]);
  const tracestate = head.header("tracestate");
  const changed = tracestateFor(name, tracestate, proof);
  if (changed !== tracestate) added.push(["tracestate", changed]);
  const baggage = session.baggage === false ? undefined : baggageFor(name, head.header("baggage"), proof);
  if (baggage !== undefined) added.push(["baggage", baggage]);
  // An invalid destination was ignored here, and must not decide at the next hop either.
  if (decision.reason.by !== "destination")
    added.push(["linkup-destination", destinationOf(decision.service.name)]);
  if (decision.override !== undefined) added.push([OVERRIDE_HEADER, decision.override]);
  const given = head.header("x-forwarded-host");
  // One host where there were several: some services take the last one.
  const first = hostFrom(head, "x-forwarded-host");
  const host =
    first !== undefined && isOwnHost(name, session, first)
      ? first
      : `${name}.${decision.match?.domain.domain ?? withoutSession(head.host, name)}`;
  if (host !== given) added.push(["x-forwarded-host", host]);
  return added;
}

/** What an earlier hop wrote names the session and one of its domains; anything else must not reach services. */
function isOwnHost(name: string, { domains }: Pick<Routing, "domains">, forwardedHost: string): boolean {
  // Behind a colon only a port: `own.example.com:80@evil.example` leads to the other host.
  if (!/^[^:]+(?::\d{1,5})?$/.test(forwardedHost)) return false;
  const host = hostname(forwardedHost);
  return domains.some(({ domain }) => host === `${name}.${hostname(domain)}`);
}

/**
 * Several `Cookie` lines, which HTTP libraries join with a comma and a space, as one line joined with semicolons. A comma
 * within a value stays: it is not followed by a space and the name of a cookie.
 */
export function joinCookies(cookies: string): string {
  return cookies.includes(", ") ? cookies.replace(/, (?=[\w!#$%&'*+.^`|~-]+=)/g, "; ") : cookies;
}
