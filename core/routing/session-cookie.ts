/**
 * The session cookie: the very last source of a request's session, for requests that nothing else identifies, such as
 * OAuth callbacks to one fixed host, bookmarks and downloads. Of two sessions in one browser the last visited page wins.
 */
import { hostname } from "../session/host-name.ts";
import { isSessionName } from "../session/session-name.ts";

export const SESSION_COOKIE = "linkup-session";

/** The session that the `Cookie` header names. */
export function sessionOfCookie(cookie: string | null | undefined): string | undefined {
  if (!cookie?.includes(SESSION_COOKIE)) return undefined;
  const value = /(?:^|[;,]\s*)linkup-session=([^;,\s]*)/.exec(cookie)?.[1];
  return value !== undefined && isSessionName(value) ? value : undefined;
}

/** Begins the name of the cookies that let a browser into a private session, behind a prefix; the session's name ends it. */
export const ACCESS_COOKIE = "linkup-access";

/** The `Cookie` header without Linkup's own, which services must not see; null when no other cookie is left. */
export function withoutLinkupCookies(cookie: string): string | null {
  if (!cookie.includes(SESSION_COOKIE) && !cookie.includes(ACCESS_COOKIE)) return cookie;
  // A browser sends the same with each request.
  if (cookie === lastCookie) return lastRest;
  const rest = cookie.split(/;\s*/).filter((pair) => !OWN_COOKIE.test(pair) && pair.trim() !== "");
  lastCookie = cookie;
  lastRest = rest.length > 0 ? rest.join("; ") : null;
  return lastRest;
}
let lastCookie = "";
let lastRest: string | null = null;
const OWN_COOKIE = /^\s*(?:linkup-session|(?:__(?:Host|Secure)-)?linkup-access-[^=\s]*)\s*=/;

export interface PageVisit {
  name: string;
  /** The session's own host that the page was asked for, with or without port. */
  host: string;
  /** The registrable domain of that host (`example.com`); undefined when it has none. */
  domain: string | undefined;
  scheme: "http" | "https";
  cookie: string | null | undefined;
}

/** The `Set-Cookie` value for the page; undefined when the browser has it already, or could not keep it. */
export function sessionCookie({ name, host, domain, scheme, cookie }: PageVisit): string | undefined {
  const ownHost = hostname(host);
  if (domain === undefined || !domain.includes(".") || !ownHost.endsWith(`.${domain}`)) return undefined;
  if (sessionOfCookie(cookie) === name) return undefined;
  const secure = scheme === "https" ? "; Secure" : "";
  return `${SESSION_COOKIE}=${name}; Domain=${domain}; Path=/; SameSite=Lax; HttpOnly${secure}`;
}

/** True when a browser navigates its page to this URL: not for what a page loads. */
export function isPageVisit(method: string, header: (name: string) => string | null | undefined): boolean {
  if (method !== "GET") return false;
  const destination = header("sec-fetch-dest");
  // Browsers send no Sec-Fetch headers to http:// hosts other than localhost.
  return destination ? destination === "document" : /\btext\/html\b/i.test(header("accept") ?? "");
}
