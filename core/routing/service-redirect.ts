/** Redirects of a service to its own address, which would lead browsers out of the session. */
import { hostname, isLoopback } from "../session/host-name.ts";

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/**
 * The path of a `Location` that leads back to the service at this origin (`http://localhost:4000`), whatever the service
 * calls this machine; undefined for any other. Without scheme and host a redirect stays where the client is
 * (RFC 9110, 10.2.2).
 */
export function pathOnService(location: string, origin: string): string | undefined {
  const [, scheme, authority, rest] = /^(https?:)?\/\/([^/?#]*)(.*)$/i.exec(location) ?? [];
  if (!authority || rest === undefined) return undefined;
  const [ownScheme = "", ownAuthority = ""] = origin.split("//", 2);
  const [host, ownHost] = [hostname(authority), hostname(ownAuthority)];
  const isSameHost = host === ownHost || (isLoopback(host) && isLoopback(ownHost));
  if (!isSameHost || portOf(authority, scheme ?? ownScheme) !== portOf(ownAuthority, ownScheme))
    return undefined;
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  // Two slashes would begin another host, and browsers read a backslash as a slash.
  return /^\/[/\\]/.test(path) ? `/.${path}` : path;
}

function portOf(authority: string, scheme: string): string | undefined {
  return /:(\d+)$/.exec(authority)?.[1] ?? DEFAULT_PORTS[scheme.toLowerCase()];
}

/**
 * The same for a deployed service, which was asked for this target (`/path?query`). Where it redirects to that very target it
 * insists on being asked at its own address: it would do so for ever.
 */
export function pathOnDeployed(location: string, origin: string, target: string): string | undefined {
  const path = pathOnService(location, origin);
  return path === undefined || path.split("#", 1)[0] === target ? undefined : path;
}

/** The redirect of a response that says it in two equal lines, which the fetch API joins: as browsers read them. */
export function singleLocation(location: string): string {
  const middle = (location.length - 2) / 2;
  const first = location.slice(0, middle);
  return first !== "" && location === `${first}, ${first}` ? first : location;
}

/** A `Refresh` field (`0; url=http://localhost:4000/in`) with another URL. */
export function mapRefresh(refresh: string, change: (url: string) => string): string {
  return refresh.replace(/^([\s\d.]+[;,]\s*url\s*=\s*)(["']?)([^"'\s]+)\2\s*$/i, (_, head, quote, url) =>
    [head, quote, change(url), quote].join(""),
  );
}
