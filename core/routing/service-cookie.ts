/** Cookies that a service sets for its own host, which browsers refuse behind the session's. */
import { registrableDomain } from "../session/domain-name.ts";
import { hostname, isLoopback } from "../session/host-name.ts";

const DOMAIN = /;\s*domain\s*=\s*([^;]*)/gi;

/**
 * A `Set-Cookie` value of the service at this origin (`https://api.internal.example`) for a client that asked this host, the first of
 * an `x-forwarded-host`. Without `Domain` where that is a domain of the service's host, and no browser would take it from the
 * client's: without one a cookie belongs to the host that sets it. Otherwise unchanged.
 */
export function clientCookie(cookie: string, origin: string, clientHost: string): string {
  // Of several the last counts (RFC 6265, 5.3).
  const given = [...cookie.matchAll(DOMAIN)].at(-1)?.[1];
  if (given === undefined) return cookie;
  const domain = hostname(given.trim().replace(/^\./, ""));
  const own = hostname(origin.slice(origin.indexOf("//") + 2));
  if (domain === "" || isTaken(hostname(clientHost.split(",", 1)[0]!), domain)) return cookie;
  const isOwn = isWithin(own, domain) || (isLoopback(own) && isLoopback(domain));
  return isOwn ? cookie.replaceAll(DOMAIN, "") : cookie;
}

/** RFC 6265, 5.3: for a public suffix, such as localhost, only from that very host. */
function isTaken(host: string, domain: string): boolean {
  return host === domain || (isWithin(host, domain) && registrableDomain(domain) !== undefined);
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}
