/** A service's response on its way back to the client. */
import { corsHeaders, isPreflight } from "../../core/routing/proxy-headers.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { type Failure, failureResponse } from "./failure.ts";
import { serviceUnreachable } from "./failures.ts";
import { deleteHopByHopOfResponse } from "./hop-by-hop.ts";
import type { Found } from "./lookup.ts";

/** A request of a session on its way. */
export interface Passage {
  found: Found;
  decision: Routed;
  head: RequestHead;
  request: Request;
  method: string;
  hasBody: boolean;
  /** `cache_routes` name its path. */
  keepsCaching: boolean;
}

/** Above it JavaScript makes no response. */
const HIGHEST_STATUS = 599;
/** Headers other than the host that can tell browsers' requests of two sessions apart. */
const SESSION_VARY = "Referer, Origin, tracestate";

export function responseToClient(response: Response, passage: Passage, status: number): Response {
  const { found, decision, head, method } = passage;
  if (status > HIGHEST_STATUS) {
    void response.body?.cancel();
    const reason = `it answered with the status ${status}, which HTTP does not have`;
    return failureToClient(serviceUnreachable(found.name, decision, reason), passage);
  }
  const cors = corsOf(passage, response);
  const answered =
    cors.length > 0 && isPreflight(method, head)
      ? new Response(null, { status: 204 })
      : new Response(response.body, response);
  const { headers } = answered;
  deleteHopByHopOfResponse(headers, status);
  addCors(headers, cors);
  if (!passage.keepsCaching) headers.set("cache-control", "no-cache");
  // One URL, several sessions: a cached answer of one must not be taken for the other's.
  else if (found.source !== "host") headers.append("vary", SESSION_VARY);
  headers.set("x-robots-tag", "noindex");
  return answered;
}

/** An error of ours in a service's place: a page of the session may read it as it may read the service's answers. */
export function failureToClient(failure: Failure, passage: Passage): Response {
  const response = failureResponse(failure, passage.request);
  addCors(response.headers, corsOf(passage));
  return response;
}

/** What allows a page of the session to read an answer that does not say itself who may. */
function corsOf({ found, head, method }: Passage, response?: Response): [string, string][] {
  if (!head.header("origin") || response?.headers.has("access-control-allow-origin")) return [];
  return corsHeaders(found.name, found.session.routing, method, head);
}

function addCors(headers: Headers, cors: [string, string][]): void {
  if (cors.length === 0) return;
  for (const [header, value] of cors) headers.set(header, value);
  headers.append("vary", "Origin");
}
