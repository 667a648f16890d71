/** The answers that come from the proxy itself: plain text that says what is wrong and what to do. */
import type { Routed } from "../../core/route.ts";
import { isLocal } from "../../core/session.ts";
import { MalformedResponse } from "../upstream/response-parser.ts";

export const FORBIDDEN = `Linkup's tunnel listener refused this request: it does not carry the secret of its session.
Requests come here through the session's Worker, which adds it. Use the session's URL.
If that is what you did, restart the session: its secret may have changed.
`;

/** The 502's body. */
export function badGateway(name: string, { service, origin }: Routed, error: Error): string {
  const local = isLocal(service.location);
  return `Linkup could not get an answer from the service "${service.name}" of the session "${name}".
Target: ${origin}
Cause: ${cause(error, origin, local)}
What to do: ${advice(error, service.name, local)}
`;
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
  return `start ${service} on this machine, or route it to its deployed copy ("linkup route ${service} remote").`;
}
