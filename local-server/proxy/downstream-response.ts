/** The head of a response as the client gets it. */

import { OVERRIDE_HEADER } from "../../core/routing/choose-override.ts";
import { type CorsChanges, corsChanges } from "../../core/routing/cors.ts";
import { clientLocation } from "../../core/routing/forwarded.ts";
import { noCache } from "../../core/routing/no-cache.ts";
import { loosenedReferrerPolicy } from "../../core/routing/referrer-policy.ts";
import { keepsCaching } from "../../core/routing/route-request.ts";
import { clientCookie } from "../../core/routing/service-cookie.ts";
import { mapRefresh, pathOnDeployed, pathOnService } from "../../core/routing/service-redirect.ts";
import { isPageVisit, sessionCookie } from "../../core/routing/session-cookie.ts";
import { registrableDomain } from "../../core/session/domain-name.ts";
import { hostname, sessionLabel } from "../../core/session/host-name.ts";
import { isLocal } from "../../core/session/session-document.ts";
import type { ClientHead, DownstreamResponse } from "../downstream/client.ts";
import { ChangedFields, type Fields } from "../http/fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Served } from "../served-sessions.ts";
import type { RequestContext, ServiceRequest } from "./upstream-request.ts";

/** Tells the Worker that the response is the service's, whatever its status. The Worker removes it. */
const ANSWERED_HEADER = "linkup-answered";

export function serviceResponse(
  client: ClientHead,
  served: Served,
  request: ServiceRequest,
  { listener, pagePorts }: RequestContext,
  response: ResponseHead,
): DownstreamResponse {
  const { name, session } = served;
  const { origins, forwardedHost } = request;
  // Without an origin there is nothing to grant: the usual case.
  const cors = client.header("origin")
    ? corsChanges(
        name,
        session,
        {
          method: client.method,
          head: client,
          client: request.client,
          pagePorts,
          isLocal: isLocal(request.origin),
        },
        mappedFields(response.fields, origins),
      )
    : undefined;
  if (cors?.answersPreflight) return preflightResponse(cors);

  const headers = unchangedFields(response);
  if (!keepsCaching(session, client.target))
    headers.set("cache-control", "Cache-Control", noCache(headers.get("cache-control")));
  // The service allowed the origin that it saw: the client's is meant.
  if (origins)
    headers.map("access-control-allow-origin", (value) =>
      value === origins.service ? origins.client : value,
    );
  const inSession = (url: string) => {
    const mapped = ownPath(url, request) ?? url;
    return clientLocation(mapped, forwardedHost, request.client) ?? mapped;
  };
  headers.map("location", inSession);
  headers.map("refresh", (refresh) => mapRefresh(refresh, inSession));
  headers.map("set-cookie", (cookie) => clientCookie(cookie, request.origin, forwardedHost));
  if (cors) applyCors(headers, cors);
  if (request.override !== undefined) headers.set(OVERRIDE_HEADER, OVERRIDE_HEADER, request.override);
  if (listener === "tunnel") headers.add(ANSWERED_HEADER, "service");
  else firstHop(headers, client, served, request);
  return downstreamResponse(response, headers);
}

/** The path of a redirect to the address at which the service was asked; undefined for any other. */
function ownPath(
  location: string,
  { origin, host, target, rewrittenHost }: ServiceRequest,
): string | undefined {
  if (rewrittenHost !== undefined) return pathOnService(location, origin);
  // With `preserve_host` it was asked at the session's.
  return origin.endsWith(`//${host}`) ? pathOnDeployed(location, origin, target) : undefined;
}

/** What the first hop alone adds: through the tunnel that is the Worker. */
function firstHop(headers: ChangedFields, client: ClientHead, served: Served, request: ServiceRequest): void {
  const { name, session } = served;
  const policy = loosenedReferrerPolicy(session, headers.get("referrer-policy"));
  if (policy !== undefined) headers.set("referrer-policy", "Referrer-Policy", policy);
  if (session.session_cookie === false || !isPageVisit(client.method, (header) => client.header(header)))
    return;
  if (sessionLabel(client.host) !== name) return;
  const { host } = client;
  const { scheme } = request.client;
  const domain = registrableDomain(hostname(host));
  const cookie = sessionCookie({ name, host, domain, scheme, cookie: client.header("cookie") });
  if (cookie !== undefined) headers.add("Set-Cookie", cookie);
}

/**
 * The service's header fields, with the client's origin where the service allowed the one that it saw. That was its own,
 * from which it needs no grant: without credentials, as Vite and SvelteKit grant it, it says nothing about the page.
 */
function mappedFields(fields: Fields, origins: ServiceRequest["origins"]) {
  return {
    get(name: string) {
      const value = fields.get(name);
      if (name !== "access-control-allow-origin" || !origins || value !== origins.service) return value;
      return fields.get("access-control-allow-credentials") === "true" ? origins.client : undefined;
    },
    names: () => new Set(fields.names),
  };
}

/** Only without hop-by-hop headers. */
export function unchangedResponse(response: ResponseHead): DownstreamResponse {
  return downstreamResponse(response, unchangedFields(response));
}

function downstreamResponse(
  { status, reason, hasBody, length }: ResponseHead,
  { raw }: ChangedFields,
): DownstreamResponse {
  return { status, reason, headers: raw, hasBody, length };
}

function unchangedFields({ status, fields, hasBody, length }: ResponseHead): ChangedFields {
  const headers = new ChangedFields(fields);
  // RFC 9110, 8.6: one Content-Length, and none with a 204.
  if (status === 204) headers.delete("content-length");
  else if (length !== undefined && fields.get("content-length")?.includes(","))
    headers.set("content-length", "Content-Length", String(length));
  // Trailers are forwarded, and so is their announcement; a response of known length has none.
  const trailer = length === undefined ? fields.get("trailer") : undefined;
  if (trailer !== undefined && hasBody) headers.add("Trailer", trailer);
  return headers;
}

/** For a service that does not handle CORS. */
function preflightResponse({ set }: CorsChanges): DownstreamResponse {
  return {
    status: 204,
    reason: "No Content",
    headers: [...set.flat(), "Vary", "Origin"],
    hasBody: false,
    length: 0,
  };
}

function applyCors(headers: ChangedFields, { remove, set }: CorsChanges): void {
  for (const name of remove) headers.delete(name);
  for (const [name, value] of set) headers.set(name, name, value);
  if (!/(?:^|,)\s*(?:origin|\*)\s*(?:,|$)/i.test(headers.get("vary") ?? "")) headers.add("Vary", "Origin");
}
