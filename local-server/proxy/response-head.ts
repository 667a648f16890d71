/** The head of the answer as the client gets it. */
import { corsHeaders, isPreflight } from "../../core/routing/proxy-headers.ts";
import { keepsCaching } from "../../core/routing/route-request.ts";
import type { ClientHead, ForwardedHead } from "../downstream/client.ts";
import { endToEnd } from "../http/fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Served } from "../sessions.ts";
import type { ForwardedRequest } from "./request-head.ts";

export function responseHead(
  client: ClientHead,
  { name, session }: Served,
  { origins, rewrittenHost }: ForwardedRequest,
  response: ResponseHead,
): ForwardedHead {
  const { fields } = response;
  const cors = fields.has("access-control-allow-origin")
    ? []
    : corsHeaders(name, session, client.method, client);
  if (cors.length > 0 && isPreflight(client.method, client)) return preflightAnswer(cors);

  const head = asItCame(response);
  const { headers } = head;
  if (!keepsCaching(session, client.target)) setHeader(headers, "Cache-Control", "no-cache");
  if (origins) mapOrigin(headers, origins);
  if (rewrittenHost !== undefined) mapLocation(headers, rewrittenHost);
  for (const [name, value] of cors) headers.push(name, value);
  if (cors.length > 0) headers.push("Vary", "Origin");
  return head;
}

/** Without the headers of its connection. */
export function asItCame({ status, reason, fields, hasBody, length }: ResponseHead): ForwardedHead {
  const headers = endToEnd(fields);
  // RFC 9110, 8.6: said once, and not at all where there is nothing to say it of.
  if (status === 204) deleteHeader(headers, "content-length");
  else if (length !== undefined && fields.get("content-length")?.includes(","))
    setHeader(headers, "Content-Length", String(length));
  // Trailers are passed on, so what announces them is too; an answer of known length has none.
  const trailer = length === undefined ? fields.get("trailer") : undefined;
  if (trailer !== undefined && hasBody) headers.push("Trailer", trailer);
  return { status, reason, headers, hasBody, length };
}

/** The service knows nothing of CORS: it is answered for it. */
function preflightAnswer(cors: [string, string][]): ForwardedHead {
  return {
    status: 204,
    reason: "No Content",
    headers: [...cors.flat(), "Vary", "Origin"],
    hasBody: false,
    length: 0,
  };
}

/** In the place of the first line with this name, or behind the last one. */
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

/** The service allowed the origin that it was shown: the page's is meant. */
function mapOrigin(headers: string[], origins: { client: string; service: string }): void {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]!.toLowerCase() === "access-control-allow-origin" && headers[i + 1] === origins.service)
      headers[i + 1] = origins.client;
}

/**
 * A service that makes its redirects of the `Host` it sees would send browsers to `localhost`, out of the session.
 * Without scheme and host a redirect stays where the client is (RFC 9110, 10.2.2).
 */
function mapLocation(headers: string[], host: string): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== "location") continue;
    const [, authority, rest = ""] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(headers[i + 1]!) ?? [];
    if (authority?.toLowerCase() !== host) continue;
    const path = rest.startsWith("/") ? rest : `/${rest}`;
    // Two slashes would begin another host.
    headers[i + 1] = path.startsWith("//") ? `/.${path}` : path;
  }
}
