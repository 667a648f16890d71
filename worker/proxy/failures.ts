/** What can go wrong between a request and its service, in words. */
import type { Routed } from "../../core/routing/route-request.ts";
import { type Failure, failureResponse, NO_TUNNEL_SENTENCE } from "./failure.ts";

export const malformed: Failure = {
  status: 400,
  code: "malformed",
  title: "This request has no valid address",
  explanation:
    "The host or the path of this request is not as HTTP has it, so Linkup cannot tell where it should go.\n",
};

export function noTunnel(name: string, { service }: Routed): Failure {
  return {
    status: 422,
    code: "no-tunnel",
    title: `The session ${name} has no tunnel`,
    explanation: `${NO_TUNNEL_SENTENCE}
Session: ${name}
Service: ${service.name}, which runs on the laptop of the session's user
Start the session again, with a tunnel, or route the service to its remote copy.
`,
  };
}

/** `reason`: what the attempt to reach the tunnel said. */
export function tunnelDown(name: string, { service }: Routed, reason: string): Failure {
  return {
    status: 502,
    code: "tunnel-down",
    title: `The laptop behind the session ${name} is away`,
    explanation: `The session ${name} is known, but the laptop that serves it could not be reached through its tunnel.
Service: ${service.name}
Reason: ${reason}
Is the laptop asleep, offline, or was the session stopped? Wake it up, or start the session there again.
`,
  };
}

export function serviceUnreachable(name: string, { service, origin }: Routed, reason: string): Failure {
  return {
    status: 502,
    code: "service-unreachable",
    title: `The service ${service.name} could not be reached`,
    explanation: `The service "${service.name}" of the session ${name} could not be reached at ${origin}.
Reason: ${reason}
Is it running, and does it listen at that address? Its location is in the session's services.
`,
  };
}

/** A fault of ours: the log has the details, which are nobody's business outside. */
export function failed(error: unknown, request: Request): Response {
  console.error(error);
  return failureResponse(
    {
      status: 500,
      code: "worker-failed",
      title: "Linkup's Worker failed",
      explanation: "Linkup's Worker failed to serve this request. Its log says why.\n",
    },
    request,
  );
}
