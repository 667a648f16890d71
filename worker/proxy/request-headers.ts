/** Request headers for the upstream. */
import {
  addedHeaders,
  HOPS_HEADER,
  joinCookies,
  ORIGIN_SECRET_HEADER,
} from "../../core/routing/proxy-headers.ts";
import { deleteRequestHopByHop } from "./hop-by-hop.ts";
import type { RoutedRequest } from "./routed-request.ts";

/** `hops`: how often the request has passed Linkup since its first hop; undefined at the first hop. */
export function upstreamHeaders(
  { match, decision, head, request, hasBody }: RoutedRequest,
  hops: number | undefined,
): Headers {
  const headers = new Headers(request.headers);
  deleteRequestHopByHop(headers);
  // workerd has answered 100-continue already; some services wait for ever when they see it a second time.
  if (hasBody) headers.delete("expect");

  const cookies = headers.get("cookie");
  if (cookies?.includes(",")) headers.set("cookie", joinCookies(cookies));
  for (const [name, value] of addedHeaders(match.name, match.session.routing, decision, head))
    headers.set(name, value);
  if (hops !== undefined) headers.set(HOPS_HEADER, String(hops + 1));

  const { tunnel } = match.session;
  if (tunnel?.origin === decision.origin) headers.set(ORIGIN_SECRET_HEADER, tunnel.secret);
  else headers.delete(ORIGIN_SECRET_HEADER);
  return headers;
}
