/** Request headers for the upstream. */
import { forwardedHeaders } from "../../core/routing/forwarded.ts";
import {
  addedHeaders,
  DESTINATION_PROOF_HEADER,
  HOP_ID_HEADER,
  HOPS_HEADER,
  joinCookies,
  ORIGIN_SECRET_HEADER,
} from "../../core/routing/proxy-headers.ts";
import { withoutSessionCookie } from "../../core/routing/session-cookie.ts";
import { deleteRequestHopByHop } from "./hop-by-hop.ts";
import type { RoutedRequest } from "./routed-request.ts";

/**
 * `hops`: how often the request has passed Linkup since its first hop; undefined at the first hop. `hopId`: of the report
 * to those who watch the session, for the local server.
 */
export function upstreamHeaders(
  { match, decision, head, client, request, hasBody }: RoutedRequest,
  hops: number | undefined,
  hopId?: string,
): Headers {
  const headers = new Headers(request.headers);
  deleteRequestHopByHop(headers);
  // workerd has answered 100-continue already; some services wait for ever when they see it a second time.
  if (hasBody) headers.delete("expect");

  const cookies = headers.get("cookie");
  if (cookies !== null) setCookies(headers, cookies);
  for (const [name, value] of addedHeaders(match.name, match.session.routing, decision, head))
    headers.set(name, value);
  // What the first hop said stands at the second.
  if (decision.reason.by !== "destination") {
    const host = headers.get("x-forwarded-host")!;
    for (const [name, value] of forwardedHeaders(host, client)) headers.set(name, value);
  }
  headers.delete(DESTINATION_PROOF_HEADER);
  if (hops !== undefined) headers.set(HOPS_HEADER, String(hops + 1));

  const { tunnel } = match.session;
  if (tunnel?.origin === decision.origin) {
    headers.set(ORIGIN_SECRET_HEADER, tunnel.secret);
    if (hopId !== undefined) headers.set(HOP_ID_HEADER, hopId);
  } else headers.delete(ORIGIN_SECRET_HEADER);
  return headers;
}

function setCookies(headers: Headers, cookies: string): void {
  const own = withoutSessionCookie(cookies.includes(",") ? joinCookies(cookies) : cookies);
  if (own === null) headers.delete("cookie");
  else if (own !== cookies) headers.set("cookie", own);
}
