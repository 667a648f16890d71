/** The headers of a request on its way to a service. */
import { addedHeaders, HOP_BY_HOP, HOPS_HEADER, joinCookies, ORIGIN_SECRET_HEADER } from "../core/forward.ts";
import { deleteConnectionHeaders } from "./connection-headers.ts";
import type { Passage } from "./response.ts";

/** Changes a copy of the client's headers. `hops`: how often the request has come through Linkup before. */
export function toServiceHeaders(headers: Headers, { found, decision, head }: Passage, hops: number): void {
  // Even where one is not forwarded by workerd, it would be taken for ours: `Upgrade` makes it open a WebSocket.
  const isWebSocket = headers.get("upgrade")?.toLowerCase() === "websocket";
  deleteConnectionHeaders(headers);
  for (const name of HOP_BY_HOP) headers.delete(name);
  if (isWebSocket) headers.set("upgrade", "websocket");
  // workerd answers 100-continue itself, and some services wait for ever when they see it a second time.
  headers.delete("expect");

  const cookies = headers.get("cookie");
  if (cookies?.includes(",")) headers.set("cookie", joinCookies(cookies));
  for (const [name, value] of addedHeaders(found.name, decision, head)) headers.set(name, value);
  headers.set(HOPS_HEADER, String(hops + 1));

  const { tunnel } = found.session;
  if (tunnel?.origin === decision.origin) headers.set(ORIGIN_SECRET_HEADER, tunnel.secret);
  else headers.delete(ORIGIN_SECRET_HEADER);
}
