/**
 * Finds the session of a request among its candidate names. Each isolate caches lookups for `FRESH_MS`,
 * which bounds how long a change made by another isolate can go unseen here.
 */
import {
  acceptsSource,
  firstKnownSession,
  type NameSource,
  type SessionCandidate,
} from "../../core/routing/identify-session.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { sessionLabel } from "../../core/session/host-name.ts";
import type { Env } from "../env.ts";
import { NO_VERSION, type ResolvedSession } from "../objects/resolved-session.ts";
import { sessionObjects } from "../objects/session-object.ts";
import { joinOrRestart } from "./join-or-restart.ts";
import { canExist, canExistNow, invalidateNames } from "./session-names.ts";

export const FRESH_MS = 1000;
/** Age from which a cached lookup is refreshed in the background, so that requests in steady traffic never wait. */
const REFRESH_MS = 600;
/** Size of the cache; the oldest entries are evicted first. */
const MAX_ENTRIES = 2000;

interface CachedLookup {
  /** When the lookup started, in milliseconds since the epoch. */
  at: number;
  /** Cached: deriving an id hashes the name. */
  id: DurableObjectId;
  session: ResolvedSession | null;
}

const cache = new Map<string, CachedLookup>();
/** Lookups in flight, shared by all requests of this isolate. */
const inFlight = new Map<string, Promise<ResolvedSession | null>>();

export interface SessionMatch {
  name: string;
  /** Where in the request the name was found. */
  source: NameSource;
  session: ResolvedSession;
}

/**
 * The first candidate that is a known session. Returns without a promise when the cache can tell, and then does not
 * parse the remaining candidates; otherwise looks up all that are not cached in one round, unless the host names one
 * that was there.
 */
export function findSession(
  head: RequestHead,
  env: Env,
  context: ExecutionContext,
): SessionMatch | undefined | Promise<SessionMatch | undefined> {
  const now = Date.now();
  // Fast path: nearly every request names its session by its host.
  const label = sessionLabel(head.host);
  const first = label === undefined ? "no-session" : fromCache(label, "host", head, now, env, context);
  if (typeof first === "object") return first;
  // What was known a moment ago is most likely there: the other names are looked for only if it is not.
  if (first === "not-cached" && cache.get(label!)?.session)
    return lookUp(label!, env).then((session) =>
      session ? { name: label!, source: "host", session } : findAmongAll(head, env, context),
    );
  return findAmongAll(head, env, context);
}

function findAmongAll(
  head: RequestHead,
  env: Env,
  context: ExecutionContext,
): SessionMatch | undefined | Promise<SessionMatch | undefined> {
  const now = Date.now();
  const candidates: SessionCandidate[] = [];
  let needsLookup = false;
  const match = firstKnownSession(head, (name, source): SessionMatch | undefined => {
    const cached = fromCache(name, source, head, now, env, context);
    if (cached === "not-cached") needsLookup = true;
    else if (cached !== "no-session" && !needsLookup) return cached;
    candidates.push({ name, source });
    return undefined;
  });
  return needsLookup ? lookUpAll(candidates, head, now, env) : match;
}

function fromCache(
  name: string,
  source: NameSource,
  head: RequestHead,
  now: number,
  env: Env,
  context: ExecutionContext,
): SessionMatch | "no-session" | "not-cached" {
  const cached = cache.get(name);
  if (cached === undefined || now - cached.at >= FRESH_MS)
    return canExist(name, now, FRESH_MS) === false ? "no-session" : "not-cached";
  if (cached.session === null || !acceptsSource(cached.session.routing, source, head)) return "no-session";
  if (now - cached.at >= REFRESH_MS && !inFlight.has(name)) context.waitUntil(lookUp(name, env));
  return { name, source, session: cached.session };
}

/** The session with this name, as `findSession` finds it; null without such a session. */
export function sessionNamed(
  name: string,
  env: Env,
  context: ExecutionContext,
): ResolvedSession | null | Promise<ResolvedSession | null> {
  const now = Date.now();
  const cached = cache.get(name);
  if (cached === undefined || now - cached.at >= FRESH_MS) return lookUp(name, env);
  if (now - cached.at >= REFRESH_MS && !inFlight.has(name)) context.waitUntil(lookUp(name, env));
  return cached.session;
}

async function lookUpAll(
  candidates: SessionCandidate[],
  head: RequestHead,
  now: number,
  env: Env,
): Promise<SessionMatch | undefined> {
  const [only] = candidates;
  if (only && candidates.length === 1) {
    const session = await lookUp(only.name, env);
    return session && acceptsSource(session.routing, only.source, head) ? { ...only, session } : undefined;
  }
  const sessions = await Promise.all(
    candidates.map(({ name }) => {
      const cached = cache.get(name);
      return cached && now - cached.at < FRESH_MS ? cached.session : lookUp(name, env);
    }),
  );
  const first = sessions.findIndex(
    (session, index) => session && acceptsSource(session.routing, candidates[index]!.source, head),
  );
  return first === -1 ? undefined : { ...candidates[first]!, session: sessions[first]! };
}

export function lookUp(name: string, env: Env): Promise<ResolvedSession | null> {
  const pending = inFlight.get(name);
  if (pending) {
    return joinOrRestart(pending, () => {
      if (inFlight.get(name) === pending) inFlight.delete(name);
      return lookUp(name, env);
    });
  }
  const lookup: Promise<ResolvedSession | null> = askObject(name, env, () => inFlight.get(name) === lookup);
  inFlight.set(name, lookup);
  return lookup;
}

/** `isCurrent`: false once the lookup was superseded or the session changed here; its result is not cached then. */
async function askObject(name: string, env: Env, isCurrent: () => boolean): Promise<ResolvedSession | null> {
  const at = Date.now();
  const cached = cache.get(name);
  try {
    // An object comes into being by being asked, with files of its own.
    if (!cached?.session && !(await canExistNow(name, env, FRESH_MS))) return null;
    const id = cached?.id ?? env.SESSIONS.idFromName(name);
    const object = sessionObjects(env).get(id);
    if (cached) {
      const version = cached.session?.version ?? NO_VERSION;
      const { status } = await object.fetch(`http://session/${version}`, HEAD);
      if (status === 204) {
        if (isCurrent()) cached.at = at;
        return cached.session;
      }
    }
    const session = await object.lookUp();
    if (isCurrent()) store(name, { at, id, session });
    return session;
  } finally {
    if (isCurrent()) inFlight.delete(name);
  }
}

const HEAD = { method: "HEAD" };

function store(name: string, lookup: CachedLookup): void {
  cache.delete(name);
  cache.set(name, lookup);
  if (cache.size > MAX_ENTRIES) cache.delete(cache.keys().next().value!);
}

/** Call after a change made here: the next request looks the session up again, and discards a lookup in flight. */
export function invalidateLookup(name: string): void {
  cache.delete(name);
  inFlight.delete(name);
  invalidateNames();
}
