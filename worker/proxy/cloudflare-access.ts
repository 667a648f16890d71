/** Cloudflare Access in front of the Worker: the JWT that it adds tells who a request is from. */
import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import type { Env } from "../env.ts";

/** Where Access puts its JWT. Both are for the Worker alone: services do not get them. */
export const ACCESS_JWT_HEADER = "cf-access-jwt-assertion";
export const ACCESS_JWT_COOKIE = "CF_Authorization";

export type CloudflareAccessResult =
  /** `who`: the user's email address, or the name of a service token. */
  | { ok: true; who: string }
  /** `keys`: the team's keys could not be read, so nobody is let in. */
  | { ok: false; reason: "no-token" | "invalid" | "keys" };

interface VerifiedToken {
  who: string;
  /** Seconds since the epoch. */
  expires: number;
}

type KeySet = ReturnType<typeof createRemoteJWKSet>;

/** The keys of each team, cached by the library: read again after ten minutes, or for an unknown key every 30 s at most. */
const keySets = new Map<string, KeySet>();
/** Tokens that were verified here, so that a page's requests cost one signature. The oldest are evicted first. */
const verified = new Map<string, VerifiedToken>();
const MAX_VERIFIED = 1000;
/** Real ones have about 1 kB. */
const MAX_TOKEN_LENGTH = 8192;
/** A browser sends cookies of the host and of the domains above it. */
const MAX_COOKIES = 4;
const CLOCK_TOLERANCE_S = 30;

/** True when the Worker is deployed with Access as the proof for private sessions. */
export function usesCloudflareAccess(env: Env): boolean {
  return Boolean(env.LINKUP_ACCESS_TEAM_DOMAIN && env.LINKUP_ACCESS_AUDIENCE);
}

/** Who Cloudflare Access says this request is from. `header`: a request's header, null when it is missing. Never throws. */
export async function cloudflareAccess(
  header: (name: string) => string | null | undefined,
  env: Env,
): Promise<CloudflareAccessResult> {
  const tokens = accessTokens(header);
  if (tokens.length === 0) return { ok: false, reason: "no-token" };
  let reason: "invalid" | "keys" = "invalid";
  for (const token of tokens) {
    const result = await verify(token, env);
    if (result.ok) return result;
    if (result.reason === "keys") reason = "keys";
  }
  return { ok: false, reason };
}

function accessTokens(header: (name: string) => string | null | undefined): string[] {
  const assertion = header(ACCESS_JWT_HEADER);
  if (assertion) return [assertion];
  return (header("cookie") ?? "")
    .split(";")
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie.startsWith(`${ACCESS_JWT_COOKIE}=`))
    .slice(0, MAX_COOKIES)
    .map((cookie) => cookie.slice(ACCESS_JWT_COOKIE.length + 1));
}

async function verify(
  token: string,
  env: Env,
): Promise<{ ok: true; who: string } | { ok: false; reason: "invalid" | "keys" }> {
  if (token.length > MAX_TOKEN_LENGTH) return { ok: false, reason: "invalid" };
  // Another audience or team is another proof.
  const audience = (env.LINKUP_ACCESS_AUDIENCE ?? "").split(",").map((tag) => tag.trim());
  const issuer = issuerOf(env);
  const key = [issuer, ...audience, token].join(" ");
  const known = verified.get(key);
  if (known && known.expires > Date.now() / 1000) return { ok: true, who: known.who };
  verified.delete(key);

  // Strangers' tokens lead to no request for keys.
  if (claimedIssuer(token) !== issuer) return { ok: false, reason: "invalid" };
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(token, keySet(issuer), {
      issuer,
      audience,
      algorithms: ["RS256"],
      requiredClaims: ["exp", "iat"],
      clockTolerance: CLOCK_TOLERANCE_S,
    }));
  } catch (error) {
    const isInvalid = error instanceof errors.JOSEError && !isKeyFailure(error);
    return { ok: false, reason: isInvalid ? "invalid" : "keys" };
  }
  const who = [payload.email, payload.common_name].find((claim) => typeof claim === "string" && claim !== "");
  if (who === undefined) return { ok: false, reason: "invalid" };
  verified.set(key, { who: who as string, expires: payload.exp! });
  if (verified.size > MAX_VERIFIED) verified.delete(verified.keys().next().value!);
  return { ok: true, who: who as string };
}

function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** The team's keys could not be read: not the token's fault. */
function isKeyFailure(error: errors.JOSEError): boolean {
  // A timeout and an answer that is no set of keys have classes of their own; a status other than 200 has the base class.
  return (
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    error.code === errors.JOSEError.code
  );
}

function issuerOf({ LINKUP_ACCESS_TEAM_DOMAIN: team = "" }: Env): string {
  const domain = team
    .trim()
    .replace(/^https:\/\//, "")
    .replace(/\/+$/, "");
  return `https://${domain.includes(".") ? domain : `${domain}.cloudflareaccess.com`}`;
}

function keySet(issuer: string): KeySet {
  let keys = keySets.get(issuer);
  if (!keys) {
    keys = createRemoteJWKSet(new URL(`${issuer}/cdn-cgi/access/certs`));
    keySets.set(issuer, keys);
  }
  return keys;
}
