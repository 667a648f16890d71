/** Which locations mean the session user's own machine, and so go through the tunnel. */
import { hostname } from "../../core/session/host-name.ts";
import { httpOrigin, isLocal } from "../../core/session/session-document.ts";

/**
 * `localhost` always does. Every other loopback address does too, unless the Worker itself runs on that machine
 * (`direct`): there they are ordinary targets, as the remote copies of the demo are.
 */
export function goesThroughTunnel(location: string, direct: boolean): boolean {
  if (!direct) return isLocal(location);
  const origin = httpOrigin(location);
  return origin !== undefined && hostname(origin.slice(origin.indexOf("//") + 2)) === "localhost";
}
