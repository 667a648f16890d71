/** A request whose session and service are known. */

import type { ClientAddress } from "../../core/routing/forwarded.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import type { SessionMatch } from "./session-lookup.ts";

export interface RoutedRequest {
  match: SessionMatch;
  decision: Routed;
  /** Without a `linkup-destination` that came from outside. */
  head: RequestHead;
  client: ClientAddress;
  /** The value of `x-forwarded-host` that services get. */
  forwardedHost: string;
  request: Request;
  method: string;
  hasBody: boolean;
  /** A pattern of `cache_routes` matches its path. */
  keepsCaching: boolean;
}
