/**
 * Slows clients that try session names one after the other. Counted in the memory of an isolate, so that strangers' requests
 * cost no object calls: Cloudflare sends the requests of one address to few isolates.
 */
import { sessionCandidates } from "../../core/routing/identify-session.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { type Env, isDirect } from "../env.ts";
import { countedAddress, RateLimit } from "../rate-limit.ts";

/** Different unknown names per address and minute. */
const UNKNOWN_NAMES_PER_MINUTE = 100;
const MAX_RECENT = 5_000;

const probes = new RateLimit(UNKNOWN_NAMES_PER_MINUTE);
/** Unknown names that were counted, by address: a page that goes on polling an ended session counts once. */
const recent = new Set<string>();

/** The seconds until this address may ask again, 0 for nearly everybody. */
export function probingDelay(request: Request, env: Env): number {
  if (!probes.isUsed || isDirect(env)) return 0;
  const address = addressOf(request);
  return probes.isExhausted(address) ? Math.max(1, Math.ceil(60 / UNKNOWN_NAMES_PER_MINUTE)) : 0;
}

/** Counts the names of a request, of which none is a session. */
export function countUnknownNames(request: Request, head: RequestHead, env: Env): void {
  if (isDirect(env)) return;
  const address = addressOf(request);
  for (const { name } of sessionCandidates(head)) {
    const key = `${address} ${name}`;
    if (recent.has(key)) continue;
    recent.add(key);
    if (recent.size > MAX_RECENT) recent.delete(recent.values().next().value!);
    probes.take(address);
  }
}

function addressOf({ headers }: Request): string {
  return countedAddress(headers.get("cf-connecting-ip"));
}
