/** Why a request got no answer from a service, as the Worker says it. */
import { type Failure as CoreFailure, failureAnswer } from "../../core/routing/errors.ts";

export type Failure = CoreFailure<
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
  const { headers, body } = failureAnswer(failure, request.headers.get("accept"));
  return new Response(body, { status: failure.status, headers });
}
