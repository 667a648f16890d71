/**
 * The names of all sessions, as this isolate last got them from the directory. Requests with unknown names are told by
 * it, without an object of their own for each name: strangers choose those.
 */
import type { Env } from "../env.ts";
import { directory, type SessionNames } from "../objects/directory-object.ts";
import { joinOrRestart } from "./join-or-restart.ts";

interface CachedNames {
  /** When they were asked for, in milliseconds since the epoch. */
  at: number;
  version: string;
  names: Set<string>;
  /** Sessions whose requests somebody watches. */
  watched: readonly string[];
}

let cached: CachedNames | undefined;
let inFlight: Promise<CachedNames> | undefined;

/** Whether a session of this name can exist; undefined when the list is older than `maxAgeMs`, and does not have it. */
export function canExist(name: string, now: number, maxAgeMs: number): boolean | undefined {
  // An old list only says which names to ask for: the session's object knows whether it is still there.
  if (cached?.names.has(name)) return true;
  return cached && now - cached.at < maxAgeMs ? false : undefined;
}

/** As `canExist`, with a new list if need be. When the directory fails, the session's object has to tell. */
export async function canExistNow(name: string, env: Env, maxAgeMs: number): Promise<boolean> {
  const known = canExist(name, Date.now(), maxAgeMs);
  if (known !== undefined) return known;
  try {
    return (await refreshNames(env)).names.has(name);
  } catch (error) {
    console.error(error);
    return true;
  }
}

/** The sessions whose requests somebody watches, as of at most `maxAgeMs` ago. */
export async function watchedSessions(env: Env, maxAgeMs: number): Promise<readonly string[]> {
  if (cached && Date.now() - cached.at < maxAgeMs) return cached.watched;
  return (await refreshNames(env)).watched;
}

/** Call after a change made here: the next unknown name is looked for in a new list. */
export function invalidateNames(): void {
  if (cached) cached.at = 0;
  inFlight = undefined;
}

function refreshNames(env: Env): Promise<CachedNames> {
  const pending = inFlight;
  if (pending) {
    return joinOrRestart(pending, () => {
      if (inFlight === pending) inFlight = undefined;
      return refreshNames(env);
    });
  }
  const refresh: Promise<CachedNames> = askDirectory(env, () => inFlight === refresh);
  inFlight = refresh;
  return refresh;
}

async function askDirectory(env: Env, isCurrent: () => boolean): Promise<CachedNames> {
  const at = Date.now();
  try {
    const changed = await directory(env).names(cached?.version ?? null);
    const latest = changed ? withChanges(changed, at, isCurrent()) : { ...cached!, at };
    if (isCurrent()) cached = latest;
    return latest;
  } finally {
    if (isCurrent()) inFlight = undefined;
  }
}

/** `inPlace`: in the set that this isolate has, which may be long. */
function withChanges(
  { version, isChange, names, gone, watched }: SessionNames,
  at: number,
  inPlace: boolean,
): CachedNames {
  const known = isChange ? cached!.names : [];
  const set = known instanceof Set && inPlace ? known : new Set(known);
  for (const name of gone) set.delete(name);
  for (const name of names.split(" ")) set.add(name);
  return { at, version, names: set, watched };
}
