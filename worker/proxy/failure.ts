/** Why a request got no answer from a service, as the Worker says it. */
import { failureContent, type ProxyFailure } from "../../core/routing/proxy-failure.ts";

export type Failure = ProxyFailure<
  | "malformed"
  | "unknown-session"
  | "no-target"
  | "no-tunnel"
  | "tunnel-down"
  | "service-unreachable"
  | "loop"
  | "worker-failed"
>;

export const NO_TUNNEL_SENTENCE =
  "This linkup session has no associated tunnel / was started with --no-tunnel";

export function failureResponse(failure: Failure, request: Request): Response {
  const { headers, body } = failureContent(failure, request.headers.get("accept"));
  return new Response(body, { status: failure.status, headers });
}
