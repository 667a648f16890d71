/**
 * The cookie that keeps a browser let into a private session: `ID.EXPIRES.MAC`, where ID is that of the invite, EXPIRES
 * in milliseconds since the epoch in base 36, and the MAC an HMAC with the session's own key.
 */
import { hmacSha256 } from "../hmac.ts";
import { ACCESS_COOKIE } from "../routing/session-cookie.ts";
import { registrableDomain } from "../session/domain-name.ts";
import { hostname } from "../session/host-name.ts";
import type { Routing } from "../session/session-document.ts";

/** 128 bits in hexadecimal. */
const MAC_LENGTH = 32;
/** Of other scopes or earlier versions; more are not tried. */
const MAX_COOKIES = 4;

export interface AccessCookie {
  /** Of the invite, or `OWNER`. */
  id: string;
  /** Milliseconds since the epoch. */
  expires: number;
  mac: string;
}

/** Who started the session, in the place of an invite's id. */
export const OWNER = "owner";

/** The values of this session's access cookies in a `Cookie` header. */
export function accessCookies(name: string, cookie: string | null | undefined): string[] {
  if (!cookie?.includes(ACCESS_COOKIE)) return [];
  const found: string[] = [];
  const start = `${ACCESS_COOKIE}-${name}=`;
  for (let at = cookie.indexOf(start); at !== -1; at = cookie.indexOf(start, at + 1)) {
    if (!/(?:^|[;,]\s*)(?:__(?:Host|Secure)-)?$/.test(cookie.slice(Math.max(0, at - 32), at))) continue;
    const value = /^[^;,\s]*/.exec(cookie.slice(at + start.length, at + start.length + 256))![0];
    found.push(value);
    if (found.length === MAX_COOKIES) break;
  }
  return found;
}

/** Undefined for a value that no Worker made. */
export function parseAccessCookie(value: string): AccessCookie | undefined {
  const [, id, expires, mac] = /^([a-z0-9]{1,32})\.([0-9a-z]{1,10})\.([0-9a-f]{32})$/.exec(value) ?? [];
  return id === undefined ? undefined : { id, expires: Number.parseInt(expires!, 36), mac: mac! };
}

export async function accessCookieMac(
  key: string,
  name: string,
  { id, expires }: Pick<AccessCookie, "id" | "expires">,
): Promise<string> {
  return (await hmacSha256(key, `cookie\n${name}\n${id}\n${expires}`)).slice(0, MAC_LENGTH);
}

/** A set of hosts that one cookie covers. */
export interface CookieScope {
  /** Where it is set: the first of the session's own hosts within the scope. */
  host: string;
  /** Its `Domain` attribute; undefined: this one host. */
  domain: string | undefined;
}

/**
 * The scopes that together cover the session's domains. The hosts without the session's name belong to them as well, where a
 * page of the session or its cookie leads: one host is enough for a session of one domain without that cookie.
 */
export function cookieScopes(
  name: string,
  { domains, session_cookie }: Pick<Routing, "domains" | "session_cookie">,
): CookieScope[] {
  const names = [...new Set(domains.map(({ domain }) => hostname(domain)))];
  const isOneHost = names.length === 1 && session_cookie === false;
  return names
    .filter((domain) => !names.some((other) => domain.endsWith(`.${other}`) && acceptsCookies(other)))
    .map((domain) => ({
      host: `${name}.${domain}`,
      domain: isOneHost || !acceptsCookies(domain) ? undefined : domain,
    }));
}

/** Browsers set no cookie for a whole public suffix, nor for a single label. */
function acceptsCookies(domain: string): boolean {
  return registrableDomain(domain)?.includes(".") === true;
}

/** The `Set-Cookie` value. Without TLS, which is only so on this machine, browsers accept neither prefix nor `Secure`. */
export function accessCookieHeader(
  name: string,
  { id, expires, mac }: AccessCookie,
  { domain }: Pick<CookieScope, "domain">,
  scheme: "http" | "https",
  now: number,
): string {
  const isSecure = scheme === "https";
  const prefix = !isSecure ? "" : domain === undefined ? "__Host-" : "__Secure-";
  const attributes = [
    `${prefix}${ACCESS_COOKIE}-${name}=${id}.${expires.toString(36)}.${mac}`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    "Path=/",
    `Max-Age=${Math.max(0, Math.floor((expires - now) / 1000))}`,
    "HttpOnly",
    "SameSite=Lax",
    ...(isSecure ? ["Secure"] : []),
  ];
  return attributes.join("; ");
}
