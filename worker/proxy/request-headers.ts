/** The headers of a request on its way to a service. */
import {
  addedHeaders,
  HOPS_HEADER,
  joinCookies,
  ORIGIN_SECRET_HEADER,
} from "../../core/routing/proxy-headers.ts";
import { deleteHopByHopOfRequest } from "./hop-by-hop.ts";
import type { Passage } from "./response.ts";

/** `hops`: how often the request has come through Linkup since its first hop; undefined at that. */
export function headersToService(
  { found, decision, head, request, hasBody }: Passage,
  hops: number | undefined,
): Headers {
  const headers = new Headers(request.headers);
  deleteHopByHopOfRequest(headers);
  // workerd answers 100-continue itself, and some services wait for ever when they see it a second time.
  if (hasBody) headers.delete("expect");

  const cookies = headers.get("cookie");
  if (cookies?.includes(",")) headers.set("cookie", joinCookies(cookies));
  for (const added of addedHeaders(found.name, decision, head)) headers.set(added[0], added[1]);
  if (hops !== undefined) headers.set(HOPS_HEADER, String(hops + 1));

  const { tunnel } = found.session;
  if (tunnel?.origin === decision.origin) headers.set(ORIGIN_SECRET_HEADER, tunnel.secret);
  else headers.delete(ORIGIN_SECRET_HEADER);
  return headers;
}
