/** A request whose session and service are known. */

import type { Fallback } from "../../core/routing/fallback.ts";
import type { ClientAddress } from "../../core/routing/forwarded.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import type { ResolvedSession } from "../objects/resolved-session.ts";
import type { SessionMatch } from "./session-lookup.ts";

export interface RoutedRequest {
  match: SessionMatch;
  decision: Routed;
  /** The session whose tunnel leads to the service, where that is not the request's own. */
  host?: { name: string; session: ResolvedSession } | undefined;
  /** Why its own location counts for a service that another session should serve. */
  fallback?: Fallback | undefined;
  /** Without a `linkup-destination` that came from outside. */
  head: RequestHead;
  client: ClientAddress;
  request: Request;
  method: string;
  hasBody: boolean;
  /** A pattern of `cache_routes` matches its path. */
  keepsCaching: boolean;
  /** For the trace headers of a private session; null to remove one, undefined to leave them as they are. */
  accessProof: string | null | undefined;
}

/** The tunnel that leads to laptops for this request. */
export function tunnelOf({ match, host }: Pick<RoutedRequest, "match" | "host">): ResolvedSession["tunnel"] {
  return (host?.session ?? match.session).tunnel;
}
