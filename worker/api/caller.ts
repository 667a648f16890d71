/** Authentication of API calls. */
import { MIN_WORKER_TOKEN_LENGTH } from "../../core/api/worker-api.ts";
import { type Env, isDirect } from "../env.ts";
import { directory } from "../objects/directory-object.ts";
import type { Actor } from "../objects/owner.ts";
import { countedAddress, RateLimit } from "../rate-limit.ts";
import { isNamedToken, sameSecret, sha256 } from "../secret.ts";

export type Caller =
  | { ok: true; actor: Actor }
  | { ok: false; status: 401 }
  | { ok: false; status: 429; retryAfter: number }
  /** The Worker is deployed with a token that can be guessed. */
  | { ok: false; status: 503; reason: string };

/** Addresses without attempts left, and until when (milliseconds since the epoch): refused without asking the directory. */
const refusedUntil = new Map<string, number>();
const MAX_REFUSED_ADDRESSES = 10_000;
/** Calls per token and minute. */
let calls: { perMinute: number; limit: RateLimit } | undefined;

/** Identifies the caller by its bearer token, and counts the call. */
export async function identifyCaller(request: Request, env: Env, context: ExecutionContext): Promise<Caller> {
  const given = bearerToken(request.headers);
  if (given === undefined) return { ok: false, status: 401 };
  return countCall(await authenticate(given, request, env, context), env);
}

/** Counts a call of this caller, who may have used up those of this minute. */
export function countCall(caller: Caller, env: Env): Caller {
  if (!caller.ok) return caller;
  const { actor } = caller;
  const retryAfter = callLimit(env)?.take(actor.role === "main" ? "" : actor.name) ?? 0;
  return retryAfter === 0 ? caller : { ok: false, status: 429, retryAfter };
}

/** Whose token this is. Wrong ones are counted for the request's address. */
export async function authenticate(
  given: string,
  request: Request,
  env: Env,
  context: ExecutionContext,
): Promise<Caller> {
  const address = callerAddress(request, env);
  const wait = Math.ceil(((refusedUntil.get(address ?? "") ?? 0) - Date.now()) / 1000);
  if (wait > 0) return { ok: false, status: 429, retryAfter: wait };

  // The attempt counts before anything is compared, so that guesses of the main token are slowed as well.
  const hash = isNamedToken(given) ? await sha256(given) : null;
  const isLimited = address !== undefined;
  const { retryAfter, tokenName } =
    isLimited || hash
      ? await directory(env).authenticate(isLimited ? address : null, hash)
      : { retryAfter: 0, tokenName: null };
  if (retryAfter > 0) {
    refuse(address!, retryAfter);
    return { ok: false, status: 429, retryAfter };
  }
  const actor = tokenName !== null ? namedActor(tokenName) : await mainActor(given, env);
  if (actor) {
    if (isLimited) context.waitUntil(directory(env).refund(address));
    return { ok: true, actor };
  }
  const reason = mainTokenProblem(env);
  return reason ? { ok: false, status: 503, reason } : { ok: false, status: 401 };
}

/** Why the main token cannot be used, for the Worker's operator; undefined when it can. */
export function mainTokenProblem(env: Env): string | undefined {
  // A Worker on this machine listens on loopback.
  if (isDirect(env) || !env.WORKER_TOKEN || env.WORKER_TOKEN.length >= MIN_WORKER_TOKEN_LENGTH)
    return undefined;
  return `The Worker refuses its WORKER_TOKEN: it has ${env.WORKER_TOKEN.length} characters, and at least ${MIN_WORKER_TOKEN_LENGTH} random ones are needed. Set another one: openssl rand -hex 32 | npx wrangler secret put WORKER_TOKEN`;
}

export function bearerToken(headers: Headers): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
}

/** Whether this is a token of the Worker, which services must not see. */
export async function isWorkerToken(token: string, env: Env): Promise<boolean> {
  return isNamedToken(token) || (Boolean(env.WORKER_TOKEN) && (await sameSecret(token, env.WORKER_TOKEN)));
}

/** Undefined on the user's own machine, where nobody but workerd says who calls. */
export function callerAddress({ headers }: Request, env: Env): string | undefined {
  return isDirect(env) ? undefined : countedAddress(headers.get("cf-connecting-ip"));
}

function namedActor(name: string): Actor {
  return { role: "named", name };
}

async function mainActor(given: string, env: Env): Promise<Actor | undefined> {
  if (!env.WORKER_TOKEN || mainTokenProblem(env)) return undefined;
  return (await sameSecret(given, env.WORKER_TOKEN)) ? { role: "main" } : undefined;
}

function refuse(address: string, seconds: number): void {
  refusedUntil.delete(address);
  refusedUntil.set(address, Date.now() + seconds * 1000);
  if (refusedUntil.size > MAX_REFUSED_ADDRESSES) refusedUntil.delete(refusedUntil.keys().next().value!);
}

/** Of one token; 0: no limit. A Worker on this machine has one only when it is configured. */
export function callsPerMinute(env: Env): number {
  return Number(env.LINKUP_API_RATE) || (isDirect(env) ? 0 : 600);
}

function callLimit(env: Env): RateLimit | undefined {
  const perMinute = callsPerMinute(env);
  if (perMinute <= 0) return undefined;
  if (calls?.perMinute !== perMinute) calls = { perMinute, limit: new RateLimit(perMinute) };
  return calls.limit;
}
