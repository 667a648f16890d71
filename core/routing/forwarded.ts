/** How the client reached Linkup, as services are told, and the redirects that services build of it. */
import { hostname } from "../session/host-name.ts";

/** The address the client used at the first hop. */
export interface ClientAddress {
  scheme: "http" | "https";
  /** Of the URL: 80 or 443 when it names none. */
  port: number;
  /** IP address of the client, when known. */
  ip?: string | undefined;
}

const DEFAULT_PORT = { http: 80, https: 443 };

/** The client's address from the URL's authority, with or without port. */
export function clientAddress(scheme: "http" | "https", authority: string, ip?: string): ClientAddress {
  const port = authority.includes(":") ? /:(\d{1,5})$/.exec(authority.trim())?.[1] : undefined;
  return { scheme, port: port ? Number(port) : DEFAULT_PORT[scheme], ip };
}

/** `host:port`, without the scheme's default port. A proxy in front of Linkup may have named the port that the client used. */
function authorityOf(host: string, { scheme, port }: ClientAddress): string {
  return host.includes(":") || port === DEFAULT_PORT[scheme] ? host : `${host}:${port}`;
}

/**
 * Headers of the first hop beside `x-forwarded-host`, which by contract has no port: with them a service can build the
 * URL that its client used. `host` is the value of `x-forwarded-host`.
 */
export function forwardedHeaders(host: string, client: ClientAddress): readonly [string, string][] {
  const { scheme, port, ip } = client;
  if (last?.host === host && last.scheme === scheme && last.port === port && last.ip === ip)
    return last.headers;
  const from = ip ? `for=${ip.includes(":") ? `"[${ip}]"` : ip};` : "";
  const headers: [string, string][] = [
    ["x-forwarded-port", String(port)],
    ["x-forwarded-proto", scheme],
    ["forwarded", `${from}host="${authorityOf(host, client)}";proto=${scheme}`],
  ];
  last = { host, scheme, port, ip, headers };
  return headers;
}
/** The same for all requests of a page. */
let last: (ClientAddress & { host: string; headers: readonly [string, string][] }) | undefined;

/**
 * Restores scheme and port in a redirect that a service built from `x-forwarded-host`; undefined when there is nothing
 * to restore.
 */
export function clientLocation(
  location: string | null | undefined,
  forwardedHost: string,
  client: ClientAddress,
): string | undefined {
  const match = /^(https?:)?\/\/([^/?#]+)/i.exec(location ?? "");
  if (!match || client.port === DEFAULT_PORT[client.scheme]) return undefined;
  // With a port the service has built the URL itself; without, the port got lost.
  if (match[2]!.includes(":") || hostname(match[2]!) !== hostname(forwardedHost)) return undefined;
  const scheme = match[1] === undefined ? "" : `${client.scheme}:`;
  return `${scheme}//${authorityOf(match[2]!, client)}${location!.slice(match[0].length)}`;
}
