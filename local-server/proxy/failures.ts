/** The answers that come from the proxy itself: plain text that says what is wrong and what to do. */
import { UNKNOWN_SESSION } from "../../core/identify.ts";
import { type NotRouted, noTarget, type Routed } from "../../core/route.ts";
import { isLocal } from "../../core/session.ts";
import type { Served } from "../sessions.ts";
import { MalformedResponse } from "../upstream/response-parser.ts";

export interface Failure {
  status: number;
  /** Stable, in the header `linkup-error`. */
  code:
    | "unknown-session"
    | "no-target"
    | "forbidden"
    | "misdirected"
    | "loop"
    | "bad-request"
    | "service-unreachable"
    | "edge-unreachable";
  text: string;
}

export const unknownSession: Failure = { status: 422, code: "unknown-session", text: UNKNOWN_SESSION };

export const forbidden: Failure = {
  status: 403,
  code: "forbidden",
  text: `Linkup's tunnel listener refused this request: it does not carry the secret of its session.
Requests come here through the session's Worker, which adds it. Use the session's URL.
If that is what you did, restart the session: its secret may have changed.
`,
};

export const badRequest: Failure = {
  status: 400,
  code: "bad-request",
  text: "Linkup refused this request: it has more than one Host header, so nobody can say where it is meant to go.\n",
};

export function noTargetFor({ name, session }: Served, decision: NotRouted): Failure {
  return { status: 404, code: "no-target", text: noTarget(name, session, decision) };
}

export function misdirected(host: string): Failure {
  const text = `Linkup's local server does not serve the host ${JSON.stringify(host)}: it belongs to no running session's domains.
It only answers for their hosts, so that no foreign page whose name leads here can read them.
Use a session's host name, or add the domain to linkup.yaml.
`;
  return { status: 421, code: "misdirected", text };
}

export function loop(host: string): Failure {
  const text = `This request has gone round in a circle: it has come through Linkup too often.
Host: ${host}
A service's location probably leads back to a session. Set it to the address where the service itself listens.
`;
  return { status: 508, code: "loop", text };
}

export function badGateway({ name }: Served, { service, origin }: Routed, error: Error): Failure {
  const local = isLocal(service.location);
  const text = `Linkup could not get an answer from the service "${service.name}" of the session "${name}".
Target: ${origin}
Cause: ${cause(error, origin, local)}
What to do: ${advice(error, service.name, local)}
`;
  return { status: 502, code: "service-unreachable", text };
}

export function edgeUnreachable(host: string, error: Error): Failure {
  const text = `No session on this machine has the host ${host}, and the place where it really is could not be reached.
Cause: ${cause(error, `https://${host}`, false)}
What to do: if it is a session of this machine, start it; else check the network and that the host exists.
`;
  return { status: 502, code: "edge-unreachable", text };
}

function cause(error: NodeJS.ErrnoException, origin: string, local: boolean): string {
  if (error instanceof MalformedResponse) return error.message;
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
      return "it closed the connection before its answer was complete";
    default:
      return error.message;
  }
}

function advice(error: NodeJS.ErrnoException, service: string, local: boolean): string {
  if (error instanceof MalformedResponse)
    return "check that this port speaks HTTP, and that it is http or https as said.";
  if (!local) return "check the network and that the deployed service is up.";
  return `start ${service} on this machine, or route it to its deployed copy ("linkup route remote ${service}").`;
}
