/**
 * Logins to the operators' page. The browser keeps the id of a login, not the token; it ends after eight hours, and with the
 * token. Sessions' pages are same-site with this one, so `SameSite` alone stops no forged request: forms are accepted from this
 * page only, and the cookie's prefix keeps other hosts from setting it.
 */
import { authenticate, type Caller, callerAddress, countCall } from "../api/caller.ts";
import { type Env, isDirect } from "../env.ts";
import { directory, LOGIN_MS } from "../objects/directory-object.ts";
import { sha256 } from "../secret.ts";

const COOKIE = "__Host-linkup-operator";
const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict";

/** Who is logged in. */
export async function loggedIn(request: Request, env: Env): Promise<Caller> {
  const id = loginId(request);
  if (id === undefined) return { ok: false, status: 401 };
  const { retryAfter, credential, tokenName } = await directory(env).login(
    callerAddress(request, env) ?? null,
    await sha256(id),
  );
  if (retryAfter > 0) return { ok: false, status: 429, retryAfter };
  if (tokenName !== null) return countCall({ ok: true, actor: { role: "named", name: tokenName } }, env);
  const isMain =
    credential !== null &&
    Boolean(env.WORKER_TOKEN) &&
    crypto.subtle.timingSafeEqual(credential, await sha256(env.WORKER_TOKEN));
  return isMain ? countCall({ ok: true, actor: { role: "main" } }, env) : { ok: false, status: 401 };
}

/** The cookie of a new login, or the reason for its refusal. */
export async function logIn(
  token: string,
  request: Request,
  env: Env,
  context: ExecutionContext,
): Promise<{ cookie: string } | Exclude<Caller, { ok: true }>> {
  const caller = await authenticate(token, request, env, context);
  if (!caller.ok) return caller;
  const id = await directory(env).logIn(await sha256(token), caller.actor);
  return { cookie: `${COOKIE}=${id}; ${ATTRIBUTES}; Max-Age=${LOGIN_MS / 1000}` };
}

/** The cookie that ends the login. */
export async function logOut(request: Request, env: Env): Promise<string> {
  const id = loginId(request);
  if (id !== undefined) await directory(env).logOut(await sha256(id));
  return `${COOKIE}=; ${ATTRIBUTES}; Max-Age=0`;
}

/** True for a form that this page sent: browsers say where every POST comes from. */
export function isFromThisPage({ headers }: Request, { host }: URL, env: Env): boolean {
  const origin = URL.parse(headers.get("origin") ?? "");
  const site = headers.get("sec-fetch-site");
  return (
    origin?.host === host &&
    (origin.protocol === "https:" || isDirect(env)) &&
    (site === null || site === "same-origin")
  );
}

function loginId({ headers }: Request): string | undefined {
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === COOKIE && /^[0-9a-f]{64}$/.test(value ?? "")) return value;
  }
  return undefined;
}
