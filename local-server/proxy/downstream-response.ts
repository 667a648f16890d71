/** The head of a response as the client gets it. */

import { OVERRIDE_HEADER } from "../../core/routing/choose-override.ts";
import { type CorsChanges, corsChanges } from "../../core/routing/cors.ts";
import { clientLocation } from "../../core/routing/forwarded.ts";
import { loosenedReferrerPolicy } from "../../core/routing/referrer-policy.ts";
import { keepsCaching } from "../../core/routing/route-request.ts";
import { pathOnService } from "../../core/routing/service-redirect.ts";
import { isPageVisit, sessionCookie } from "../../core/routing/session-cookie.ts";
import { registrableDomain } from "../../core/session/domain-name.ts";
import { hostname, sessionLabel } from "../../core/session/host-name.ts";
import type { ClientHead, DownstreamResponse } from "../downstream/client.ts";
import { endToEnd, type Fields } from "../http/fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Served } from "../served-sessions.ts";
import type { Arrival, ServiceRequest } from "./upstream-request.ts";

/** Tells the Worker that the response is the service's, whatever its status. The Worker removes it. */
const ANSWERED_HEADER = "linkup-answered";

export function serviceResponse(
  client: ClientHead,
  served: Served,
  request: ServiceRequest,
  { listener, pagePorts }: Arrival,
  response: ResponseHead,
): DownstreamResponse {
  const { name, session } = served;
  const { origins, rewrittenHost, forwardedHost } = request;
  const corsRequest = { method: client.method, head: client, client: request.client, pagePorts };
  const cors = corsChanges(name, session, corsRequest, mappedFields(response.fields, origins));
  if (cors?.answersPreflight) return preflightResponse(cors);

  const head = unchangedResponse(response);
  const { headers } = head;
  if (!keepsCaching(session, client.target)) setHeader(headers, "Cache-Control", "no-cache");
  if (origins) mapOrigin(headers, origins);
  mapLocations(headers, (location) => {
    const mapped =
      rewrittenHost === undefined ? location : (pathOnService(location, request.origin) ?? location);
    return clientLocation(mapped, forwardedHost, request.client) ?? mapped;
  });
  if (cors) applyCors(headers, cors);
  if (request.override !== undefined) setHeader(headers, OVERRIDE_HEADER, request.override);
  if (listener === "tunnel") headers.push(ANSWERED_HEADER, "service");
  else firstHop(headers, client, served, request);
  return head;
}

/** What the first hop alone adds: through the tunnel that is the Worker. */
function firstHop(headers: string[], client: ClientHead, served: Served, request: ServiceRequest): void {
  const { name, session } = served;
  const policy = loosenedReferrerPolicy(session, headerOf(headers, "referrer-policy"));
  if (policy !== undefined) setHeader(headers, "Referrer-Policy", policy);
  if (session.session_cookie === false || !isPageVisit(client.method, (header) => client.header(header)))
    return;
  if (sessionLabel(client.host) !== name) return;
  const { host } = client;
  const { scheme } = request.client;
  const domain = registrableDomain(hostname(host));
  const cookie = sessionCookie({ name, host, domain, scheme, cookie: client.header("cookie") });
  if (cookie !== undefined) headers.push("Set-Cookie", cookie);
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
export function unchangedResponse({
  status,
  reason,
  fields,
  hasBody,
  length,
}: ResponseHead): DownstreamResponse {
  const headers = endToEnd(fields);
  // RFC 9110, 8.6: one Content-Length, and none with a 204.
  if (status === 204) deleteHeader(headers, "content-length");
  else if (length !== undefined && fields.get("content-length")?.includes(","))
    setHeader(headers, "Content-Length", String(length));
  // Trailers are forwarded, and so is their announcement; a response of known length has none.
  const trailer = length === undefined ? fields.get("trailer") : undefined;
  if (trailer !== undefined && hasBody) headers.push("Trailer", trailer);
  return { status, reason, headers, hasBody, length };
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

function applyCors(headers: string[], { remove, set }: CorsChanges): void {
  for (const name of remove) deleteHeader(headers, name);
  for (const [name, value] of set) setHeader(headers, name, value);
  if (!/(?:^|,)\s*(?:origin|\*)\s*(?:,|$)/i.test(headerOf(headers, "vary") ?? ""))
    headers.push("Vary", "Origin");
}

/** The value; several lines joined by `, `. */
function headerOf(headers: string[], lower: string): string | undefined {
  let found: string | undefined;
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]!.toLowerCase() === lower)
      found = found === undefined ? headers[i + 1]! : `${found}, ${headers[i + 1]}`;
  return found;
}

/** Replaces the first line of this name and removes the others, or appends a line. */
function setHeader(headers: string[], name: string, value: string): void {
  const lower = name.toLowerCase();
  let set = false;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== lower) continue;
    if (set) {
      headers.splice(i, 2);
      i -= 2;
    } else headers[i + 1] = value;
    set = true;
  }
  if (!set) headers.push(name, value);
}

function deleteHeader(headers: string[], lower: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2)
    if (headers[i]!.toLowerCase() === lower) headers.splice(i, 2);
}

/** The service allowed the origin that it saw: the client's is meant. */
function mapOrigin(headers: string[], origins: { client: string; service: string }): void {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]!.toLowerCase() === "access-control-allow-origin" && headers[i + 1] === origins.service)
      headers[i + 1] = origins.client;
}

function mapLocations(headers: string[], map: (location: string) => string): void {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]!.toLowerCase() === "location") headers[i + 1] = map(headers[i + 1]!);
}
