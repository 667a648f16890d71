/**
 * Answers of deployed services to paths of `cache_routes`, kept in Cloudflare's cache. Its own way of keeping them knows
 * no sessions; here each state of a session has addresses of its own, so that nothing is found by another session, or
 * after a change. What runs on a laptop changes without notice, and is not kept.
 */
import { type Env, isDirect } from "../env.ts";
import type { Passage } from "./response.ts";

const NAME = "linkup-sessions";
/** The largest answer kept, in bytes: it passes through the isolate's memory when the client is slow. */
const MAX_SIZE = 16 * 1024 * 1024;
/** What the cache answers by itself: a part of what it has, or that the client has it already. */
const CONDITIONS = ["if-none-match", "if-modified-since", "range"];
/**
 * Headers that services answer by without saying so: an answer that somebody got by a forged one is for nobody else.
 * They are those by which Cloudflare's own cache tells requests apart, and the encoding.
 */
const TOLD_APART_BY = [
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

/** Where the answer to this request is kept, as a request that the cache answers; undefined when it is not kept. */
export function cacheKey(passage: Passage, env: Env): Request | undefined {
  const { found, decision, head, method, hasBody } = passage;
  const { session } = found;
  if (method !== "GET" || hasBody || isDirect(env) || decision.origin === session.tunnel?.origin)
    return undefined;
  if (!passage.keepsCaching || head.header("authorization")) return undefined;
  const host = head.header("x-forwarded-host") ?? head.host;
  const place = [session.updated, decision.origin, decision.target, host, ...TOLD_APART_BY.map(head.header)];
  const headers = new Headers();
  for (const name of CONDITIONS) {
    const value = head.header(name);
    if (value) headers.set(name, value);
  }
  // As a path it would be tidied up, and a target with dots in it would lead to the place of another.
  const query = encodeURIComponent(JSON.stringify(place));
  return new Request(`https://${found.name}.linkup-cache.invalid/?${query}`, { headers });
}

/** Undefined when there is none, or the client asks for a new one. */
export async function fromCache(key: Request, { head }: Passage): Promise<Response | undefined> {
  if (/no-cache|no-store|max-age=0/i.test(head.header("cache-control") ?? "")) return undefined;
  try {
    return await (await caches.open(NAME)).match(key);
  } catch (error) {
    // The service has it all the same.
    console.error(error);
    return undefined;
  }
}

/** Keeps this answer, if it may be kept. Resolves when it is. */
export async function keep(key: Request, answer: Response): Promise<void> {
  await (await caches.open(NAME)).put(key.url, answer);
}

/** Whether everyone who uses the session may get this answer (RFC 9111, 3), and it says for how long. */
export function mayBeKept({ status, headers }: Response): boolean {
  const control = headers.get("cache-control") ?? "";
  const length = Number(headers.get("content-length") ?? Number.NaN);
  return (
    status === 200 &&
    /(?:^|[\s,])(?:s-maxage|max-age)="?[1-9]/i.test(control) &&
    !/\b(?:private|no-store|no-cache|s-maxage="?0)\b/i.test(control) &&
    !headers.has("set-cookie") &&
    /^(?:\s*accept-encoding\s*,?)*$/i.test(headers.get("vary") ?? "") &&
    length <= MAX_SIZE
  );
}
