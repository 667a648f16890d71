/** The head of a response as the client gets it. */
import { corsHeaders, isPreflight } from "../../core/routing/proxy-headers.ts";
import { keepsCaching } from "../../core/routing/route-request.ts";
import type { ClientHead, DownstreamResponse } from "../downstream/client.ts";
import { endToEnd } from "../http/fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Served } from "../sessions.ts";
import type { ServiceRequest } from "./upstream-request.ts";

export function serviceResponse(
  client: ClientHead,
  { name, session }: Served,
  { origins, rewrittenHost }: ServiceRequest,
  response: ResponseHead,
): DownstreamResponse {
  const { fields } = response;
  const cors = fields.has("access-control-allow-origin")
    ? []
    : corsHeaders(name, session, client.method, client);
  if (cors.length > 0 && isPreflight(client.method, client)) return preflightResponse(cors);

  const head = unchangedResponse(response);
  const { headers } = head;
  if (!keepsCaching(session, client.target)) setHeader(headers, "Cache-Control", "no-cache");
  if (origins) mapOrigin(headers, origins);
  if (rewrittenHost !== undefined) mapLocation(headers, rewrittenHost);
  for (const [name, value] of cors) headers.push(name, value);
  if (cors.length > 0) headers.push("Vary", "Origin");
  return head;
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
function preflightResponse(cors: [string, string][]): DownstreamResponse {
  return {
    status: 204,
    reason: "No Content",
    headers: [...cors.flat(), "Vary", "Origin"],
    hasBody: false,
    length: 0,
  };
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

/**
 * A service that builds redirects from the `Host` it sees would send browsers to `localhost`, out of the session.
 * Without scheme and host a redirect stays on the client's host (RFC 9110, 10.2.2).
 */
function mapLocation(headers: string[], host: string): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== "location") continue;
    const [, authority, rest = ""] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(headers[i + 1]!) ?? [];
    if (authority?.toLowerCase() !== host) continue;
    const path = rest.startsWith("/") ? rest : `/${rest}`;
    // Two slashes would begin a host.
    headers[i + 1] = path.startsWith("//") ? `/.${path}` : path;
  }
}
