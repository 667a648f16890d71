/** The service's response, or an error in its place, as the client gets it. */
import { corsHeaders, isPreflight } from "../../core/routing/proxy-headers.ts";
import { failureResponse, serviceUnreachable, type WorkerFailure } from "./failures.ts";
import { deleteResponseHopByHop } from "./hop-by-hop.ts";
import type { RoutedRequest } from "./routed-request.ts";

/** The highest status that the `Response` constructor accepts. */
const MAX_STATUS = 599;
/** Request headers other than the host by which a session is identified. */
const SESSION_VARY = "Referer, Origin, tracestate";

export function downstreamResponse(response: Response, routed: RoutedRequest, status: number): Response {
  const { match, decision, head, method } = routed;
  if (status > MAX_STATUS) {
    void response.body?.cancel();
    const reason = `it answered with the status ${status}, which is not a valid HTTP status`;
    return downstreamFailure(serviceUnreachable(match.name, decision, reason), routed);
  }
  const cors = corsOf(routed, response);
  const answer =
    cors.length > 0 && isPreflight(method, head)
      ? new Response(null, { status: 204 })
      : new Response(response.body, response);
  const { headers } = answer;
  deleteResponseHopByHop(headers, status);
  addCors(headers, cors);
  if (!routed.keepsCaching) headers.set("cache-control", "no-cache");
  // Several sessions share this URL: a cached response of one must not be used for another.
  else if (match.source !== "host") headers.append("vary", SESSION_VARY);
  headers.set("x-robots-tag", "noindex");
  return answer;
}

/** An error in place of the service's response. Pages of the session may read it as they may read the service's responses. */
export function downstreamFailure(failure: WorkerFailure, routed: RoutedRequest): Response {
  const response = failureResponse(failure, routed.request);
  addCors(response.headers, corsOf(routed));
  return response;
}

/** CORS headers for pages of the session, unless the service's response has its own. */
function corsOf({ match, head, method }: RoutedRequest, response?: Response): [string, string][] {
  if (!head.header("origin") || response?.headers.has("access-control-allow-origin")) return [];
  return corsHeaders(match.name, match.session.routing, method, head);
}

function addCors(headers: Headers, cors: [string, string][]): void {
  if (cors.length === 0) return;
  for (const [header, value] of cors) headers.set(header, value);
  headers.append("vary", "Origin");
}
