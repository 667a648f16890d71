/** Cross-origin access between the pages of one session (CORS). */
import { hostname, isLoopback, withoutSession } from "../session/host-name.ts";
import type { Routing } from "../session/session-document.ts";
import type { ClientAddress } from "./forwarded.ts";
import type { RequestHead } from "./routing-input.ts";

/** A request as its client sent it to the first hop. */
export interface CorsRequest {
  method: string;
  head: Pick<RequestHead, "header">;
  client: Pick<ClientAddress, "scheme" | "port">;
  /** Further ports at which pages of the session are served. */
  pagePorts?: readonly number[];
  /** The service runs on this machine. */
  isLocal?: boolean;
}

/** What of a service's response CORS depends on: header names are lower case. */
export interface CorsResponse {
  get(name: string): string | null | undefined;
  names(): Iterable<string>;
}

export interface CorsChanges {
  /** Headers of the service to remove. */
  remove: string[];
  /** Headers to set, each once. `Origin` then belongs in `Vary`. */
  set: [string, string][];
  /** Answer with 204 instead of the service's response. */
  answersPreflight: boolean;
}

/**
 * The changes that let a page of the same session read the response; undefined when there is nothing to change.
 * A grant of the service stands, with two exceptions: an origin that is fixed to one of the session's domains without
 * the session's label is replaced by the page's, and so is one on this machine (`http://localhost:3000`) of a service that
 * runs here: it is the page's, where that is developed. Only without a grant Linkup makes its own: the page's origin with
 * credentials, since `*` breaks every fetch that carries cookies.
 */
export function corsChanges(
  name: string,
  session: Routing,
  request: CorsRequest,
  response: CorsResponse | undefined,
): CorsChanges | undefined {
  const origin = request.head.header("origin");
  if (!isSessionOrigin(name, session, origin, request)) return undefined;
  const granted = response?.get("access-control-allow-origin");
  if (granted) {
    return namesSameDomain(granted, origin, name) || (request.isLocal && namesThisMachine(granted))
      ? { remove: [], set: [["access-control-allow-origin", origin]], answersPreflight: false }
      : undefined;
  }

  const names = [...(response?.names() ?? [])];
  const set: [string, string][] = [
    ["access-control-allow-origin", origin],
    ["access-control-allow-credentials", "true"],
  ];
  const answersPreflight = isPreflight(request.method, request.head);
  if (answersPreflight) {
    set.push(["access-control-allow-methods", request.head.header("access-control-request-method")!]);
    const wanted = request.head.header("access-control-request-headers");
    if (wanted) set.push(["access-control-allow-headers", wanted]);
    set.push(["access-control-max-age", "86400"]);
  } else if (!names.includes("access-control-expose-headers")) {
    const exposed = names.filter(isWorthExposing);
    if (exposed.length > 0) set.push(["access-control-expose-headers", exposed.join(", ")]);
  }
  return {
    remove: names.filter((header) => header.startsWith("access-control-allow-")),
    set,
    answersPreflight,
  };
}

/** True for a CORS preflight. */
export function isPreflight(method: string, head: Pick<RequestHead, "header">): boolean {
  return (
    method === "OPTIONS" &&
    Boolean(head.header("origin")) &&
    Boolean(head.header("access-control-request-method"))
  );
}

/**
 * True when this origin is a page of the session: one of its domains, with or without the session's label, at a port
 * where pages of sessions are served. A page without TLS must not read what is served with TLS.
 */
export function isSessionOrigin(
  name: string,
  session: Pick<Routing, "domains">,
  origin: string | null | undefined,
  { client, pagePorts = [] }: Pick<CorsRequest, "client" | "pagePorts">,
): origin is string {
  const page = parseOrigin(origin);
  if (page === undefined || (client.scheme === "https" && page.scheme === "http")) return false;
  if (page.port !== DEFAULT_PORT[page.scheme] && page.port !== client.port && !pagePorts.includes(page.port))
    return false;
  const domain = withoutSession(page.host, name);
  return session.domains.some((candidate) => hostname(candidate.domain) === domain);
}

const DEFAULT_PORT = { http: 80, https: 443 };

/** An origin of the web as browsers serialise it; undefined for `null`, extensions and anything else. */
function parseOrigin(
  origin: string | null | undefined,
): { scheme: "http" | "https"; host: string; port: number } | undefined {
  const match = /^(https?):\/\/([^/?#@:[\]\s,]+)(?::(\d{1,5}))?$/i.exec(origin ?? "");
  if (!match) return undefined;
  const scheme = match[1]!.toLowerCase() as "http" | "https";
  return { scheme, host: match[2]!.toLowerCase(), port: match[3] ? Number(match[3]) : DEFAULT_PORT[scheme] };
}

/** True when the service grants the page's own domain, without the label of its session. */
function namesSameDomain(granted: string, origin: string, name: string): boolean {
  const [fixed, page] = [parseOrigin(granted.trim()), parseOrigin(origin)];
  return (
    fixed !== undefined &&
    page !== undefined &&
    page.host !== fixed.host &&
    withoutSession(page.host, name) === fixed.host
  );
}

function namesThisMachine(granted: string): boolean {
  const fixed = parseOrigin(granted.trim());
  return fixed !== undefined && isLoopback(fixed.host);
}

/** Browsers expose the safelisted headers anyway; cookies and CORS itself are never exposed. */
function isWorthExposing(header: string): boolean {
  return !NOT_EXPOSED.has(header) && !header.startsWith("access-control-") && !header.startsWith("linkup-");
}
const NOT_EXPOSED = new Set([
  "cache-control",
  "connection",
  "content-language",
  "content-length",
  "content-type",
  "expires",
  "keep-alive",
  "last-modified",
  "pragma",
  "set-cookie",
  "transfer-encoding",
]);
