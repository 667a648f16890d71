/** Authentication of API calls. */
import { type Env, isDirect } from "../env.ts";
import { directory } from "../objects/directory-object.ts";
import { isNamedToken, sameSecret, sha256 } from "../secret.ts";
import { RateLimit } from "./rate-limit.ts";

export type Caller =
  /** The caller has `WORKER_TOKEN`, which alone manages named tokens. */
  | { ok: true; role: "main" }
  | { ok: true; role: "named"; name: string }
  | { ok: false; status: 401 }
  | { ok: false; status: 429; retryAfter: number };

/** Wrong tokens per address and minute. */
const wrongTokens = new RateLimit(60);
/** Calls per token and minute. */
let calls: { perMinute: number; limit: RateLimit } | undefined;

/** Identifies the caller by its bearer token, and counts the call. */
export async function identifyCaller(request: Request, env: Env): Promise<Caller> {
  const caller = await authenticate(request, env);
  if (!caller.ok) return caller;
  const retryAfter = callLimit(env)?.take(caller.role === "main" ? "" : caller.name) ?? 0;
  return retryAfter === 0 ? caller : { ok: false, status: 429, retryAfter };
}

async function authenticate(request: Request, env: Env): Promise<Caller> {
  const given = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (given === undefined) return { ok: false, status: 401 };
  if (env.WORKER_TOKEN && (await sameSecret(given, env.WORKER_TOKEN))) return { ok: true, role: "main" };

  const address = request.headers.get("cf-connecting-ip") ?? "";
  const retryAfter = wrongTokens.isExhausted(address) ? wrongTokens.take(address) : 0;
  if (retryAfter > 0 && !isDirect(env)) return { ok: false, status: 429, retryAfter };
  const name = isNamedToken(given) ? await directory(env).tokenName(await sha256(given)) : null;
  if (name !== null) return { ok: true, role: "named", name };
  wrongTokens.take(address);
  return { ok: false, status: 401 };
}

/** A Worker on this machine has a limit only when one is configured. */
function callLimit(env: Env): RateLimit | undefined {
  const perMinute = Number(env.LINKUP_API_RATE) || (isDirect(env) ? 0 : 600);
  if (perMinute <= 0) return undefined;
  if (calls?.perMinute !== perMinute) calls = { perMinute, limit: new RateLimit(perMinute) };
  return calls.limit;
}
