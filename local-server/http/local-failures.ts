/** The responses of the local server itself: what is wrong and what to do. */

import type { ProxyFailure } from "../../core/routing/proxy-failure.ts";
import type { DecisionFailure } from "../../core/routing/request-decision.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import { isH2c } from "../../core/session/host-name.ts";
import { isLocal } from "../../core/session/session-document.ts";
import type { Served } from "../served-sessions.ts";
import { Http2Response, MalformedMessage, NotHttp2Error } from "./protocol-errors.ts";

export type LocalFailure =
  | DecisionFailure
  | ProxyFailure<"override-failed" | "bad-request" | "service-unreachable" | "edge-unreachable">;

/** `reason`: what is malformed or ambiguous. */
export function badRequest(reason: string, status = 400): LocalFailure {
  return {
    status,
    code: "bad-request",
    title: "Malformed HTTP request",
    explanation: `Linkup refused this request: ${reason}.\n`,
  };
}

/** `isGrpc`: the client speaks gRPC. */
export function badGateway(
  { name }: Served,
  { service, origin }: Routed,
  error: Error,
  isGrpc = false,
): LocalFailure {
  const local = isLocal(service.location);
  const explanation = `Linkup got no response from the service "${service.name}" of the session "${name}".
Target: ${origin}
Cause: ${cause(error, origin, local)}
What to do: ${schemeAdvice(error, service.location, isGrpc) ?? advice(error, service.name, local)}
`;
  const title = `The service ${service.name} could not be reached`;
  return { status: 502, code: "service-unreachable", title, explanation };
}

/** The file of its response cannot be read. */
export function overrideFailed(override: string, error: Error): LocalFailure {
  const explanation = `The override "${override}" of linkup.yaml has no response.
Cause: ${error.message}
What to do: correct "respond.file", or switch the override off ("linkup override off ${override}").
`;
  const title = `The override ${override} has no response`;
  return { status: 502, code: "override-failed", title, explanation };
}

export function publicOriginUnreachable(host: string, error: Error): LocalFailure {
  const explanation = `No session on this machine has the host ${host}, and its public origin could not be reached.
Cause: ${cause(error, `https://${host}`, false)}
What to do: if it belongs to a session of this machine, start that session; otherwise check the network and that the host exists.
`;
  return { status: 502, code: "edge-unreachable", title: `${host} could not be reached`, explanation };
}

function cause(error: NodeJS.ErrnoException, origin: string, local: boolean): string {
  if (error instanceof MalformedMessage) return error.message;
  if (isTls(error)) return `the TLS handshake failed (${tlsReason(error)})`;
  switch (error.code) {
    case "ECONNREFUSED":
      return local
        ? `nothing listens on ${origin}: the service is probably not running, or on another port`
        : `${origin} refuses connections`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "its host name cannot be resolved";
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `${origin} cannot be reached: ${error.message}`;
    case "ECONNRESET":
    case "EPIPE":
      return "it closed the connection before its response was complete";
    default:
      return error.message;
  }
}

/** For a service that speaks the other of HTTP/1.1 and HTTP/2 without TLS. */
function schemeAdvice(error: NodeJS.ErrnoException, location: string, isGrpc: boolean): string | undefined {
  const rest = location.slice(location.indexOf("://"));
  if (error instanceof NotHttp2Error && isH2c(location))
    return `check that this port speaks HTTP/2 without TLS. A service that speaks HTTP/1.1 has the location http${rest} in linkup.yaml.`;
  const closed = error.code !== "ECONNREFUSED" && isGrpc && /^http:/i.test(location);
  if (error instanceof Http2Response || closed)
    return `write its location as h2c${rest} in linkup.yaml, as gRPC servers without TLS need it.`;
  return undefined;
}

function advice(error: NodeJS.ErrnoException, service: string, local: boolean): string {
  if (error instanceof MalformedMessage || isTls(error))
    return "check that this port speaks HTTP, and that its scheme (http/https) in linkup.yaml is right.";
  if (!local) return "check the network and that the deployed service is up.";
  return `start ${service} on this machine, or route it to its deployed copy ("linkup route remote ${service}").`;
}

function isTls({ code = "" }: NodeJS.ErrnoException): boolean {
  return code === "EPROTO" || code.startsWith("ERR_SSL_");
}

/** The reason within OpenSSL's long message. */
function tlsReason({ message }: Error): string {
  return /SSL routines:[^:]*:([^:\n]+)/.exec(message)?.[1] ?? message;
}
