import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Env } from "../env.ts";
import { cloudflareAccess, usesCloudflareAccess } from "./cloudflare-access.ts";

const AUDIENCE = "a".repeat(64);
const MINUTE = 60;

let keys: Awaited<ReturnType<typeof generateKeyPair>>;
let foreign: Awaited<ReturnType<typeof generateKeyPair>>;
let team = 0;
/** A team per test: its keys are remembered. */
let env: Env;
let issuer: string;
let answer: () => Response | Promise<Response>;
const asked: string[] = [];

beforeAll(async () => {
  keys = await generateKeyPair("RS256");
  foreign = await generateKeyPair("RS256");
});

beforeEach(async () => {
  team += 1;
  issuer = `https://team${team}.cloudflareaccess.com`;
  env = { LINKUP_ACCESS_TEAM_DOMAIN: `team${team}`, LINKUP_ACCESS_AUDIENCE: `other, ${AUDIENCE}` } as Env;
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  answer = () => Response.json({ keys: [jwk], public_certs: [] });
  asked.length = 0;
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(String(url));
    return answer();
  });
});
afterEach(() => vi.unstubAllGlobals());

function token(change: JWTPayload = {}, key = keys.privateKey, header: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    aud: [AUDIENCE],
    email: "ada@example.com",
    iss: issuer,
    iat: now,
    nbf: now,
    exp: now + 10 * MINUTE,
    ...change,
  };
  return new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "k1", ...header }).sign(key);
}

function ask(headers: Record<string, string>) {
  return cloudflareAccess((name) => headers[name] ?? null, env);
}

const byHeader = (jwt: string) => ask({ "cf-access-jwt-assertion": jwt });

test("is off unless both variables are set", () => {
  expect(usesCloudflareAccess(env)).toBe(true);
  expect(usesCloudflareAccess({ ...env, LINKUP_ACCESS_AUDIENCE: "" })).toBe(false);
  expect(usesCloudflareAccess({} as Env)).toBe(false);
});

test("lets a user in by header and by cookie, and reads the team's keys once", async () => {
  const jwt = await token();
  const ada = { ok: true, who: "ada@example.com" };
  expect(await byHeader(jwt)).toEqual(ada);
  expect(await ask({ cookie: `a=1; CF_Authorization=${jwt}; b=2` })).toEqual(ada);
  expect(await byHeader(await token({ sub: "again" }))).toEqual(ada);
  expect(asked).toEqual([`${issuer}/cdn-cgi/access/certs`]);
});

test("lets a service token in by its name", async () => {
  expect(await byHeader(await token({ email: undefined, common_name: "ci.access" }))).toEqual({
    ok: true,
    who: "ci.access",
  });
});

test("tries each cookie of the name, for hosts below each other", async () => {
  const stale = await token({ exp: Math.floor(Date.now() / 1000) - 10 * MINUTE });
  expect(await ask({ cookie: `CF_Authorization=${stale}; CF_Authorization=${await token()}` })).toEqual({
    ok: true,
    who: "ada@example.com",
  });
});

const INVALID = { ok: false, reason: "invalid" };
const now = () => Math.floor(Date.now() / 1000);
test.each<[string, () => Promise<string>]>([
  ["expired", () => token({ exp: now() - MINUTE })],
  ["not yet valid", () => token({ nbf: now() + MINUTE })],
  ["for another application", () => token({ aud: ["b".repeat(64)] })],
  ["of another team", () => token({ iss: "https://evil.cloudflareaccess.com" })],
  ["signed by somebody else", () => token({}, foreign.privateKey)],
  ["with an unknown key", () => token({}, foreign.privateKey, { kid: "k2" })],
  ["without an end", () => token({ exp: undefined })],
  ["of nobody", () => token({ email: undefined })],
  ["signed with HMAC by the public key", async () => hmacToken()],
  ["without a signature", async () => unsigned()],
  ["no JWT", async () => "abc.def.ghi"],
  ["very long", async () => "a".repeat(10_000)],
])("refuses a token that is %s", async (_, jwt) => {
  expect(await byHeader(await jwt())).toEqual(INVALID);
});

async function hmacToken(): Promise<string> {
  const { n } = await exportJWK(keys.publicKey);
  return new SignJWT({
    aud: AUDIENCE,
    iss: issuer,
    email: "eve@evil.example",
    exp: now() + MINUTE,
    iat: now(),
  })
    .setProtectedHeader({ alg: "HS256", kid: "k1" })
    .sign(new TextEncoder().encode(n));
}

function unsigned(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const payload = { aud: AUDIENCE, iss: issuer, email: "eve@evil.example", exp: now() + MINUTE, iat: now() };
  return `${part({ alg: "none", kid: "k1" })}.${part(payload)}.`;
}

test("asks for no keys for a token of another team", async () => {
  await byHeader(await token({ iss: "https://evil.example" }));
  expect(asked).toEqual([]);
});

test("forgets a verified token when it expires", async () => {
  vi.useFakeTimers({ now: Date.now() });
  try {
    const jwt = await token({ exp: now() + MINUTE });
    expect(await byHeader(jwt)).toMatchObject({ ok: true });
    vi.advanceTimersByTime(2 * MINUTE * 1000);
    expect(await byHeader(jwt)).toEqual(INVALID);
  } finally {
    vi.useRealTimers();
  }
});

test("takes up the team's next key, and drops the one before, without asking for it at every token", async () => {
  vi.useFakeTimers({ now: Date.now() });
  try {
    expect(await byHeader(await token())).toMatchObject({ ok: true });
    const next = { ...(await exportJWK(foreign.publicKey)), kid: "k2", alg: "RS256", use: "sig" };
    answer = () => Response.json({ keys: [next] });
    const byNext = (sub: string) => token({ sub }, foreign.privateKey, { kid: "k2" }).then(byHeader);
    // Keys that were read a moment ago are not read again for a key that nobody knows.
    for (const sub of ["a", "b", "c"]) expect(await byNext(sub)).toEqual(INVALID);
    expect(asked).toHaveLength(1);
    vi.advanceTimersByTime(31_000);
    for (const sub of ["d", "e", "f"]) expect(await byNext(sub)).toMatchObject({ ok: true });
    expect(asked).toHaveLength(2);
    expect(await byHeader(await token({ sub: "old" }))).toEqual(INVALID);
  } finally {
    vi.useRealTimers();
  }
});

test("a token that was verified for one application proves nothing to another", async () => {
  const jwt = await token();
  expect(await byHeader(jwt)).toMatchObject({ ok: true });
  env = { ...env, LINKUP_ACCESS_AUDIENCE: "another" } as Env;
  expect(await byHeader(jwt)).toEqual(INVALID);
});

test.each<[string, () => Response | Promise<Response>]>([
  ["is down", () => Promise.reject(new TypeError("fetch failed"))],
  ["answers 500", () => new Response("", { status: 500 })],
  ["answers no JSON", () => new Response("<html>")],
  ["answers no keys", () => Response.json({})],
])("lets nobody in when the team's address %s, and says so", async (_, failing) => {
  answer = failing;
  expect(await byHeader(await token())).toEqual({ ok: false, reason: "keys" });
});

test("says when there is no token", async () => {
  expect(await ask({})).toEqual({ ok: false, reason: "no-token" });
  expect(await ask({ cookie: "X_CF_Authorization=1" })).toEqual({ ok: false, reason: "no-token" });
});
