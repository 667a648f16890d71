/**
 * Caches responses of deployed services to paths of `cache_routes` in Cloudflare's cache. The cache itself knows no
 * sessions, so the key includes the session and when it was last changed: no other session and no later state of the
 * same one finds the entry. Responses from laptops are not cached, because local services change without notice.
 */
import { type Env, isDirect } from "../env.ts";
import { type RoutedRequest, tunnelOf } from "./routed-request.ts";

const CACHE_NAME = "linkup-sessions";
/** The largest cached response: it passes through the isolate's memory when the client is slow. */
const MAX_CACHED_BYTES = 16 * 1024 * 1024;
/** Headers that the cache evaluates itself, for 304 and 206. */
const CONDITIONAL_HEADERS = ["if-none-match", "if-modified-since", "range"];
/**
 * Headers that services commonly depend on without naming them in `Vary`. They are part of the key, so that a forged
 * one cannot poison the cache: those of Cloudflare's own default cache key, and the encoding.
 */
const KEY_HEADERS = [
  "accept-encoding",
  "origin",
  "forwarded",
  "x-forwarded-scheme",
  "x-forwarded-proto",
  "x-host",
  "x-original-url",
  "x-rewrite-url",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
];

/** The cache key of this request, as the request to match; undefined when its response is not cacheable. */
export function cacheKey(routed: RoutedRequest, env: Env): Request | undefined {
  const { match, decision, head, client, method, hasBody } = routed;
  const { session } = match;
  if (method !== "GET" || hasBody || isDirect(env) || decision.origin === tunnelOf(routed)?.origin)
    return undefined;
  // An override may depend on any header, and the key has only some.
  if (decision.override !== undefined) return undefined;
  if (!routed.keepsCaching || head.header("authorization")) return undefined;
  const host = head.header("x-forwarded-host") ?? head.host;
  const key = [
    session.updated,
    decision.origin,
    decision.target,
    host,
    client.scheme,
    client.port,
    ...KEY_HEADERS.map(head.header),
  ];
  const headers = new Headers();
  for (const name of CONDITIONAL_HEADERS) {
    const value = head.header(name);
    if (value) headers.set(name, value);
  }
  // In the query, because dot segments of a path are normalised: two targets would share a key.
  const query = encodeURIComponent(JSON.stringify(key));
  return new Request(`https://${match.name}.linkup-cache.invalid/?${query}`, { headers });
}

/** Undefined when nothing is cached, or the client asks for a fresh response. */
export async function cachedResponse(key: Request, { head }: RoutedRequest): Promise<Response | undefined> {
  if (/no-cache|no-store|max-age=0/i.test(head.header("cache-control") ?? "")) return undefined;
  try {
    return await (await caches.open(CACHE_NAME)).match(key);
  } catch (error) {
    // The service can still answer.
    console.error(error);
    return undefined;
  }
}

/** Resolves when the response is stored. */
export async function storeResponse(key: Request, response: Response): Promise<void> {
  await (await caches.open(CACHE_NAME)).put(key.url, response);
}

/** Whether a shared cache may store the response (RFC 9111, 3), and it has an explicit lifetime. */
export function isCacheable({ status, headers }: Response): boolean {
  const control = headers.get("cache-control") ?? "";
  const length = Number(headers.get("content-length") ?? Number.NaN);
  return (
    status === 200 &&
    /(?:^|[\s,])(?:s-maxage|max-age)="?[1-9]/i.test(control) &&
    !/\b(?:private|no-store|no-cache|s-maxage="?0)\b/i.test(control) &&
    !headers.has("set-cookie") &&
    /^(?:\s*accept-encoding\s*,?)*$/i.test(headers.get("vary") ?? "") &&
    length <= MAX_CACHED_BYTES
  );
}
