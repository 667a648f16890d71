/** Request headers for the upstream. */
import { ACCESS_HEADER } from "../../core/api/access-api.ts";
import { OVERRIDE_HEADER } from "../../core/routing/choose-override.ts";
import { forwardedHeaders } from "../../core/routing/forwarded.ts";
import {
  addedHeaders,
  DESTINATION_PROOF_HEADER,
  HOP_ID_HEADER,
  HOPS_HEADER,
  joinCookies,
  ORIGIN_SECRET_HEADER,
} from "../../core/routing/proxy-headers.ts";
import { withoutLinkupCookies } from "../../core/routing/session-cookie.ts";
import { TARGET_SESSION_HEADER } from "../../core/routing/session-target.ts";
import type { Env } from "../env.ts";
import { ACCESS_JWT_COOKIE, ACCESS_JWT_HEADER, usesCloudflareAccess } from "./cloudflare-access.ts";
import { deletePresent, deleteRequestHopByHop } from "./hop-by-hop.ts";
import type { ChangedHeaders } from "./recorded-headers.ts";
import { type RoutedRequest, tunnelOf } from "./routed-request.ts";

/**
 * Changes the client's headers to those for the upstream. `hops`: how often the request has passed Linkup since its first hop;
 * undefined at the first hop. `hopId`: of the report to those who watch the session, for the local server.
 */
export function changeForUpstream(
  headers: ChangedHeaders,
  routed: RoutedRequest,
  env: Env,
  hops: number | undefined,
  hopId?: string,
): void {
  const { match, decision, head, client, hasBody, host, accessProof } = routed;
  deleteRequestHopByHop(headers);
  // workerd has answered 100-continue already; some services wait for ever when they see it a second time.
  if (hasBody) headers.delete("expect");

  const cookies = headers.get("cookie");
  if (cookies !== null) setCookies(headers, cookies, env);
  deletePresent(headers, ACCESS_HEADER);
  deletePresent(headers, OVERRIDE_HEADER);
  if (usesCloudflareAccess(env)) headers.delete(ACCESS_JWT_HEADER);
  const added = addedHeaders(match.name, match.session.routing, decision, head, accessProof);
  setAll(headers, added);
  // What the first hop said stands at the second.
  if (decision.reason.by !== "destination") {
    // It is the last one that is added, where the request has none of its own.
    const last = added[added.length - 1];
    const forwardedHost = last?.[0] === "x-forwarded-host" ? last[1] : headers.get("x-forwarded-host")!;
    setAll(headers, forwardedHeaders(forwardedHost, client));
  }
  deletePresent(headers, DESTINATION_PROOF_HEADER);
  if (hops !== undefined) {
    headers.set(HOPS_HEADER, String(hops + 1));
    headers.delete(HOP_ID_HEADER);
  }

  deletePresent(headers, TARGET_SESSION_HEADER);
  const tunnel = tunnelOf(routed);
  if (tunnel?.origin === decision.origin) {
    headers.set(ORIGIN_SECRET_HEADER, tunnel.secret);
    if (host) headers.set(TARGET_SESSION_HEADER, host.name);
    // Its laptop follows the requests of its own sessions only.
    else if (hopId !== undefined) headers.set(HOP_ID_HEADER, hopId);
  } else deletePresent(headers, ORIGIN_SECRET_HEADER);
}

/** By index: iterators for the list and for each pair take as long as to set it. */
function setAll(headers: ChangedHeaders, pairs: readonly [string, string][]): void {
  for (let at = 0; at < pairs.length; at++) headers.set(pairs[at]![0], pairs[at]![1]);
}

function setCookies(headers: ChangedHeaders, cookies: string, env: Env): void {
  // A browser sends the same with each request.
  if (cookies !== lastCookies) {
    lastOwn = ownCookies(cookies, env);
    lastCookies = cookies;
  }
  if (!lastOwn) headers.delete("cookie");
  else if (lastOwn !== cookies) headers.set("cookie", lastOwn);
}
let lastCookies = "";
let lastOwn: string | null = null;

/** Without those for the Worker alone. */
function ownCookies(cookies: string, env: Env): string | null {
  let own = withoutLinkupCookies(cookies.includes(",") ? joinCookies(cookies) : cookies);
  if (own?.includes(ACCESS_JWT_COOKIE) && usesCloudflareAccess(env))
    own = own
      .split(/;\s*/)
      .filter((pair) => !pair.startsWith(`${ACCESS_JWT_COOKIE}=`))
      .join("; ");
  return own;
}
