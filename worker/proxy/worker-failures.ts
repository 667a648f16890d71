/** The Worker's error responses in place of a service's response. */
import type { RefusedAccess } from "../../core/access/decide-access.ts";
import { grpcFailureHeaders, isGrpc } from "../../core/routing/grpc.ts";
import { failureContent, type ProxyFailure } from "../../core/routing/proxy-failure.ts";
import type { Routed } from "../../core/routing/route-request.ts";

export type WorkerFailure = ProxyFailure<
  | "malformed"
  | "unknown-session"
  | "no-target"
  | "path-too-long"
  | "no-tunnel"
  | "tunnel-down"
  | "service-unreachable"
  | "loop"
  | "rate-limited"
  | "private-session"
  | "worker-failed"
>;

/** As the original words it; v1 clients look for it. */
export const NO_TUNNEL_SENTENCE =
  "This linkup session has no associated tunnel / was started with --no-tunnel";

/** `retryAfter`: seconds after which the client may try again. */
export function failureResponse(failure: WorkerFailure, request: Request, retryAfter?: number): Response {
  const more: Record<string, string> = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
  if (failure.status === 401) {
    more["www-authenticate"] = "Linkup";
    more["referrer-policy"] = "no-referrer";
  }
  if (isGrpc(request.headers.get("content-type")))
    return new Response(null, { headers: { ...grpcFailureHeaders(failure), ...more } });
  const { headers, body } = failureContent(failure, request.headers.get("accept"));
  return new Response(body, { status: failure.status, headers: { ...headers, ...more } });
}

export const rateLimited: WorkerFailure = {
  status: 429,
  code: "rate-limited",
  title: "Too many unknown sessions",
  explanation:
    "Too many requests from this address named sessions that do not exist. Wait a moment, then use the URL of a running session.\n",
};

export const tooManyProofs: WorkerFailure = {
  status: 429,
  code: "rate-limited",
  title: "Too many wrong proofs",
  explanation:
    "Too many requests from this address sent an invalid cookie or token for a private session. Wait a moment, then open a new invite link.\n",
};

const REFUSED_ACCESS: Readonly<Record<RefusedAccess, string>> = {
  "no-proof": "This browser or program has no invite to it yet.",
  "foreign-page": "A page of another site sent this request, which does not count as yours.",
  wrong: "The cookie or token that was sent is not valid for this session.",
  expired: "The invite that was used here has expired.",
  revoked: "The invite that was used here has been revoked.",
};

/** It tells strangers no more than the name, which they have, and whom to ask. `maker`: the named token that made it. */
export function privateSession(name: string, maker: string | null, why: RefusedAccess): WorkerFailure {
  return {
    status: 401,
    code: "private-session",
    title: `The session ${name} is private`,
    explanation: `Only people who were invited can open the session ${name}${maker === null ? "" : ` of ${maker}`}.
${REFUSED_ACCESS[why]}
Ask ${maker ?? "whoever gave you this address"} for an invite link, and open it in this browser.
Programs send the token of an invite in the header linkup-access.
`,
  };
}

export const malformed: WorkerFailure = {
  status: 400,
  code: "malformed",
  title: "Malformed request address",
  explanation: "The request's host or path is malformed, so Linkup cannot route it.\n",
};

export function noTunnel(name: string, { service }: Routed): WorkerFailure {
  return {
    status: 422,
    code: "no-tunnel",
    title: `The session ${name} has no tunnel`,
    explanation: `${NO_TUNNEL_SENTENCE}
Session: ${name}
Service: ${service.name}, which runs on the laptop of the session's user
Start the session again with a tunnel, or route the service to its remote location.
`,
  };
}

/** `reason`: why the tunnel could not be reached. */
export function tunnelDown(name: string, service: string, reason: string): WorkerFailure {
  return {
    status: 502,
    code: "tunnel-down",
    title: `The laptop of the session ${name} is unreachable`,
    explanation: `The session ${name} exists, but its laptop could not be reached through its tunnel.
Service: ${service}
Reason: ${reason}
Is the laptop asleep, offline, or was the session stopped? Wake it up, or start the session there again.
`,
  };
}

export function serviceUnreachable(name: string, { service, origin }: Routed, reason: string): WorkerFailure {
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

/** A fault of the Worker itself. Details go to the log only, not to strangers. */
export function workerFailed(error: unknown, request: Request): Response {
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
