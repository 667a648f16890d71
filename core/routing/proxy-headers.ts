/** What a hop adds to a request on its way to the service, and to the response on its way back. */
import { hex } from "../hex.ts";
import { hostname, hostOfUrl, withoutSession } from "../session/host-name.ts";
import type { Routing } from "../session/session-document.ts";
import { tracestateSessions } from "./identify-session.ts";
import type { Routed } from "./route-request.ts";
import type { RequestHead } from "./routing-input.ts";

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
 * How many hops of Linkup a request has passed: a location that leads back to Linkup must not go round for ever.
 * Services that copy all headers to the requests they make themselves let it grow, so it has room.
 */
export const HOPS_HEADER = "linkup-hops";
export const MAX_HOPS = 16;

/** How often the request has passed Linkup before. A value that no hop writes counts as the maximum. */
export function hopsOf(head: Pick<RequestHead, "header">): number {
  const hops = head.header(HOPS_HEADER);
  if (!hops) return 0;
  return /^\d{1,3}$/.test(hops) ? Number(hops) : MAX_HOPS;
}

/**
 * `linkup-destination` counts only on the second hop, which recognises the first by the origin secret or, where that
 * must not be shown to the host behind a remote location, by this header: the hexadecimal HMAC-SHA256 of
 * `destinationMessage` with the session's origin secret as its key. Anyone else could reach services without a route.
 */
export const DESTINATION_PROOF_HEADER = "linkup-destination-proof";

export function destinationMessage(session: string, service: string): string {
  return `${session}\n${service}`;
}

/** The head without a `linkup-destination` that came from outside. */
export function withoutDestination(head: RequestHead): RequestHead {
  const { host, target } = head;
  return { host, target, header: (name) => (name === "linkup-destination" ? null : head.header(name)) };
}

/** The headers that a hop sets on the request to the service: `[lower-case name, value]`, replacing what is there. */
export function addedHeaders(
  name: string,
  session: Pick<Routing, "domains">,
  decision: Routed,
  head: RequestHead,
): [string, string][] {
  const added: [string, string][] = [];
  if (!head.header("traceparent")) added.push(["traceparent", newTraceparent()]);
  const tracestate = head.header("tracestate");
  if (tracestateSessions(tracestate)[0] !== name) added.push(["tracestate", withSession(tracestate, name)]);
  // One that names no service of the session did not decide here, and must not at the next hop.
  if (decision.reason.by !== "destination") added.push(["linkup-destination", decision.service.name]);
  if (!isOwnHost(name, session, head.header("x-forwarded-host"))) {
    const domain = decision.match?.domain.domain ?? withoutSession(head.host, name);
    added.push(["x-forwarded-host", `${name}.${domain}`]);
  }
  return added;
}

/** What an earlier hop wrote names the session and one of its domains; anything else must not reach services. */
function isOwnHost(
  name: string,
  { domains }: Pick<Routing, "domains">,
  forwardedHost: string | null | undefined,
): boolean {
  if (!forwardedHost) return false;
  const host = hostname(forwardedHost);
  return domains.some(({ domain }) => host === `${name}.${hostname(domain)}`);
}

/**
 * W3C Trace Context: a changed member moves to the front, a list has at most 32 members.
 * A member of another session goes: one key stands once.
 */
function withSession(tracestate: string | null | undefined, name: string): string {
  if (!tracestate) return `linkup-session=${name}`;
  const members = tracestate
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "" && !/^linkup-session\s*=/.test(member));
  return [`linkup-session=${name}`, ...members.slice(0, 31)].join(",");
}

/** Version 00, random ids, not sampled. */
function newTraceparent(): string {
  if (randomUsed === randomHex.length) {
    crypto.getRandomValues(RANDOM);
    randomHex = hex(RANDOM);
    randomUsed = 0;
  }
  const trace = randomHex.slice(randomUsed, randomUsed + 32);
  const parent = randomHex.slice(randomUsed + 32, randomUsed + 48);
  randomUsed += 48;
  return `00-${trace}-${parent}-00`;
}
/** Random bytes for 64 ids: asking for them one by one costs more than all the rest of a header. */
const RANDOM = new Uint8Array(24 * 64);
let randomHex = "";
let randomUsed = 0;

/** Several `Cookie` lines as one. HTTP/1 readers join repeated headers with comma and space, cookies need a semicolon. */
export function joinCookies(cookies: string): string {
  return cookies.includes(", ") ? cookies.replace(/,\s+(?=[!#$%&'*+\-.^_`|~\w]+=)/g, "; ") : cookies;
}

/** True when this origin is a page of the session: one of its domains, with or without the session's label. */
export function isSessionOrigin(
  name: string,
  session: Routing,
  origin: string | null | undefined,
): origin is string {
  const host = origin ? hostOfUrl(origin) : undefined;
  if (host === undefined) return false;
  const domain = withoutSession(host, name);
  return session.domains.some((candidate) => hostname(candidate.domain) === domain);
}

/**
 * CORS headers for a response to which the service gave none, for a page of the same session:
 * its origin with credentials, since a `*` breaks every fetch that carries cookies. Otherwise nothing.
 * For a preflight (OPTIONS with Access-Control-Request-Method) they allow what it asks for.
 * The caller appends `Origin` to the response's `Vary` when it uses them.
 */
export function corsHeaders(
  name: string,
  session: Routing,
  method: string,
  head: Pick<RequestHead, "header">,
): [string, string][] {
  const origin = head.header("origin");
  if (!isSessionOrigin(name, session, origin)) return [];
  const headers: [string, string][] = [
    ["access-control-allow-origin", origin],
    ["access-control-allow-credentials", "true"],
  ];
  if (!isPreflight(method, head)) return headers;
  headers.push(["access-control-allow-methods", head.header("access-control-request-method")!]);
  const wanted = head.header("access-control-request-headers");
  if (wanted) headers.push(["access-control-allow-headers", wanted]);
  headers.push(["access-control-max-age", "86400"]);
  return headers;
}

/** True for a CORS preflight: when its service sent no CORS headers it is answered 204 with `corsHeaders`. */
export function isPreflight(method: string, head: Pick<RequestHead, "header">): boolean {
  return (
    method === "OPTIONS" &&
    Boolean(head.header("origin")) &&
    Boolean(head.header("access-control-request-method"))
  );
}
