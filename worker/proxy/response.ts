/** The service's response, or an error in its place, as the client gets it. */

import { OVERRIDE_HEADER } from "../../core/routing/choose-override.ts";
import { type CorsChanges, corsChanges } from "../../core/routing/cors.ts";
import { FALLBACK_HEADER } from "../../core/routing/fallback.ts";
import { clientLocation } from "../../core/routing/forwarded.ts";
import { noCache } from "../../core/routing/no-cache.ts";
import { loosenedReferrerPolicy } from "../../core/routing/referrer-policy.ts";
import { clientCookie } from "../../core/routing/service-cookie.ts";
import { mapRefresh, pathOnDeployed, singleLocation } from "../../core/routing/service-redirect.ts";
import { isPageVisit, sessionCookie } from "../../core/routing/session-cookie.ts";
import { registrableDomain } from "../../core/session/domain-name.ts";
import { withoutSession } from "../../core/session/host-name.ts";
import { deletePresent, deleteResponseHopByHop } from "./hop-by-hop.ts";
import { type RoutedRequest, tunnelOf } from "./routed-request.ts";
import { failureResponse, serviceUnreachable, type WorkerFailure } from "./worker-failures.ts";

/** The highest status that the `Response` constructor accepts. */
const MAX_STATUS = 599;
/** Request headers other than the host by which a session is identified. */
const SESSION_VARY = ["Referer", "Origin", "tracestate", "Cookie"];
/** By the local server: the response is of a service, whatever its status. */
export const ANSWERED_HEADER = "linkup-answered";

export function downstreamResponse(response: Response, routed: RoutedRequest, status: number): Response {
  const { match, decision } = routed;
  if (status > MAX_STATUS) {
    void response.body?.cancel();
    const reason = `it answered with the status ${status}, which is not a valid HTTP status`;
    return downstreamFailure(serviceUnreachable(match.name, decision, reason), routed);
  }
  const cors = corsOf(routed, response);
  const answer = cors?.answersPreflight
    ? new Response(null, { status: 204 })
    : new Response(response.body, response);
  const { headers } = answer;
  deleteResponseHopByHop(headers, status);
  deletePresent(headers, ANSWERED_HEADER);
  if (routed.fallback) headers.set(FALLBACK_HEADER, routed.fallback);
  // Behind the tunnel the local server knows whether the override has acted: a fault may be for a share of requests.
  if (decision.override !== undefined && tunnelOf(routed)?.origin !== decision.origin)
    headers.set(OVERRIDE_HEADER, decision.override);
  applyCors(headers, cors);
  if (!routed.keepsCaching) headers.set("cache-control", noCache(headers.get("cache-control")));
  else if (match.session.access !== null) keepFromSharedCaches(headers);
  // Several sessions share this URL: a cached response of one must not be used for another.
  if (routed.keepsCaching && match.source !== "host") addVary(headers, SESSION_VARY);
  if (!headers.has("x-robots-tag")) headers.set("x-robots-tag", "noindex");
  keepSession(headers, routed, status);
  return answer;
}

/** Caches between the Worker and the browser know nothing of who may enter a private session. */
function keepFromSharedCaches(headers: Headers): void {
  const kept = (headers.get("cache-control") ?? "")
    .split(",")
    .map((directive) => directive.trim())
    .filter((directive) => !/^(?:public$|private$|s-maxage|$)/i.test(directive));
  headers.set("cache-control", ["private", ...kept].join(", "));
}

/** An error in place of the service's response. Pages of the session may read it as they may read the service's responses. */
export function downstreamFailure(failure: WorkerFailure, routed: RoutedRequest): Response {
  const response = failureResponse(failure, routed.request);
  applyCors(response.headers, corsOf(routed, response));
  return response;
}

/** Redirects, the pages' own requests and later visits lead to the session again. */
function keepSession(headers: Headers, routed: RoutedRequest, status: number): void {
  const { match, head, client, method } = routed;
  const { name, session } = match;
  const { routing } = session;
  if (headers.has("set-cookie")) keepCookies(headers, routed);
  if (status === 201 || (status >= 300 && status < 400)) {
    change(headers, "location", (location) => inSession(singleLocation(location), routed));
  }
  change(headers, "refresh", (refresh) => mapRefresh(refresh, (url) => inSession(url, routed)));
  if (routing.domains.length > 1) {
    const policy = loosenedReferrerPolicy(routing, headers.get("referrer-policy"));
    if (policy !== undefined) headers.set("referrer-policy", policy);
  }
  const setsCookie = match.source === "host" && routing.session_cookie !== false && !routed.keepsCaching;
  if (setsCookie && isPageVisit(method, head.header)) {
    const { scheme } = client;
    const domain = registrableDomain(head.host);
    const value = sessionCookie({ name, host: head.host, domain, scheme, cookie: head.header("cookie") });
    if (value !== undefined) headers.append("set-cookie", value);
  }
}

/** What does not change is left as it came, byte for byte. */
function change(headers: Headers, name: string, map: (value: string) => string): void {
  const value = headers.get(name);
  const mapped = value === null ? null : map(value);
  if (mapped !== null && mapped !== value) headers.set(name, mapped);
}

/** Makes the service's own cookies the session's. What is set again loses its bytes that are no UTF-8. */
function keepCookies(headers: Headers, routed: RoutedRequest): void {
  const { origin } = routed.decision;
  const cookies = headers.getSetCookie();
  const own = cookies.map((cookie) => clientCookie(cookie, origin, forwardedHost(routed)));
  if (own.every((cookie, n) => cookie === cookies[n])) return;
  headers.delete("set-cookie");
  for (const cookie of own) headers.append("set-cookie", cookie);
}

/** Where a redirect of the service should lead its client. */
function inSession(url: string, routed: RoutedRequest): string {
  const { decision, client } = routed;
  // Behind the tunnel the local server has done it.
  const own =
    tunnelOf(routed)?.origin === decision.origin
      ? undefined
      : pathOnDeployed(url, decision.origin, decision.target);
  return own ?? clientLocation(url, forwardedHost(routed), client) ?? url;
}

/** What the service got in `x-forwarded-host`. */
function forwardedHost({ match, decision, head }: RoutedRequest): string {
  return `${match.name}.${decision.match?.domain.domain ?? withoutSession(head.host, match.name)}`;
}

/** CORS headers for pages of the session. */
function corsOf({ match, head, method, client }: RoutedRequest, answer: Response): CorsChanges | undefined {
  if (!head.header("origin")) return undefined;
  const { headers } = answer;
  const response = { get: (name: string) => headers.get(name), names: () => headers.keys() };
  return corsChanges(match.name, match.session.routing, { method, head, client }, response);
}

function applyCors(headers: Headers, cors: CorsChanges | undefined): void {
  if (!cors) return;
  for (const name of cors.remove) headers.delete(name);
  for (const [name, value] of cors.set) headers.set(name, value);
  addVary(headers, ["Origin"]);
}

function addVary(headers: Headers, names: readonly string[]): void {
  const present = (headers.get("vary") ?? "").split(",").map((name) => name.trim().toLowerCase());
  if (present.includes("*")) return;
  const missing = names.filter((name) => !present.includes(name.toLowerCase()));
  if (missing.length > 0) headers.append("vary", missing.join(", "));
}
