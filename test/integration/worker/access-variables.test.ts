/** What the operator's variables make of sessions: private where nobody says otherwise, and Cloudflare Access as the proof. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Internet } from "./internet.ts";
import { movableClockBundle } from "./movable-clock.ts";
import { type Api, apiOf, send } from "./world.ts";

const AUDIENCE = "a".repeat(64);
const TEAM = "shop.cloudflareaccess.com";

let internet: Internet;
let worker: Awaited<ReturnType<Internet["startWorker"]>>;
let api: Api;
let addresses = 0;

const session = (name: string, more = {}) => ({
  services: [{ name: "web", location: "https://web.example.org" }],
  domains: [{ domain: "example.com", default_service: "web" }],
  desired_name: name,
  session_token: `token of ${name}`,
  ...more,
});

/** A request of a client that was never here, with the cookies and headers that the service saw. */
async function ask(name: string, headers: Record<string, string> = {}) {
  addresses += 1;
  const common = { host: `${name}.example.com`, "x-forwarded-proto": "https" };
  const answer = await send(worker.url, "/", {
    headers: { ...common, "cf-connecting-ip": `198.51.100.${addresses}`, ...headers },
  });
  return { status: answer.status, body: answer.body };
}

async function start(vars: Record<string, string>, bundle?: string) {
  internet = await new Internet().start();
  internet.hosts.set("web.example.org", ({ headers }, response) => {
    const { cookie = "no cookie", "cf-access-jwt-assertion": assertion = "no assertion" } = headers;
    response.end(`web, ${cookie}, ${assertion}`);
  });
  worker = await internet.startWorker(vars, undefined, 0, bundle);
  api = apiOf(worker.url);
}

async function stop() {
  await worker.stop();
  await internet.stop();
}

describe("LINKUP_DEFAULT_ACCESS=private", () => {
  beforeAll(() => start({ LINKUP_DEFAULT_ACCESS: "private" }));
  afterAll(stop);

  test("a session is private where its client says nothing, and its answer says so", async () => {
    const created = await api("POST", "/linkup/v2/sessions/tunneled", session("slim-gecko"));
    expect(created.json()).toMatchObject({ session_name: "slim-gecko", access: "private" });
    expect(await ask("slim-gecko")).toMatchObject({ status: 401 });
    const preview = await api("POST", "/linkup/v2/sessions/preview", session("bold-cat"));
    expect(preview.json()).toMatchObject({ access: "private" });
    expect(await ask("bold-cat")).toMatchObject({ status: 401 });
  });

  test("an explicit public start is public, and stays so", async () => {
    const asked = session("open-hare", { access: "public" });
    expect((await api("POST", "/linkup/v2/sessions/preview", asked)).status).toBe(200);
    expect(await ask("open-hare")).toEqual({ status: 200, body: "web, no cookie, no assertion" });
    expect((await api("POST", "/linkup/v2/sessions/preview", session("open-hare"))).status).toBe(200);
    expect(await ask("open-hare")).toMatchObject({ status: 200 });
  });

  test("its owner lets others in by an invite", async () => {
    const invite = await api("POST", "/linkup/v2/sessions/bold-cat/invites", { kind: "token" });
    const { token } = invite.json() as { token: string };
    expect(await ask("bold-cat", { "linkup-access": token })).toMatchObject({ status: 200 });
  });
});

describe("Cloudflare Access", () => {
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;
  let published: object[];
  let keysAsked = 0;
  let keysAnswer = 200;
  let folder = "";

  const jwk = async (kid: string, { publicKey }: typeof keys) => ({
    ...(await exportJWK(publicKey)),
    kid,
    alg: "RS256",
    use: "sig",
  });

  function token(change: JWTPayload = {}, kid = "k1", by = keys): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      aud: [AUDIENCE],
      email: "ada@example.com",
      iss: `https://${TEAM}`,
      iat: now,
      exp: now + 600,
    };
    return new SignJWT({ ...claims, ...change })
      .setProtectedHeader({ alg: "RS256", kid })
      .sign(by.privateKey);
  }

  const byHeader = async (jwt: string | Promise<string>, headers: Record<string, string> = {}) =>
    (await ask("slim-gecko", { "cf-access-jwt-assertion": await jwt, ...headers })).status;

  beforeAll(async () => {
    keys = await generateKeyPair("RS256");
    published = [await jwk("k1", keys)];
    folder = mkdtempSync(join(tmpdir(), "linkup-access-"));
    const vars = { LINKUP_ACCESS_TEAM_DOMAIN: "shop", LINKUP_ACCESS_AUDIENCE: AUDIENCE };
    await start(vars, await movableClockBundle(folder));
    internet.hosts.set(TEAM, ({ url }, response) => {
      keysAsked += 1;
      response.writeHead(url === "/cdn-cgi/access/certs" ? keysAnswer : 404);
      response.end(JSON.stringify({ keys: published }));
    });
    const created = await api(
      "POST",
      "/linkup/v2/sessions/preview",
      session("slim-gecko", { access: "private" }),
    );
    expect(created.json()).toMatchObject({ access: "private" });
  });
  afterAll(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("unreadable keys allow no request", async () => {
    keysAnswer = 503;
    expect(await byHeader(token())).toBe(401);
    keysAnswer = 200;
  });

  test("a Cloudflare Access login is accepted by header and cookie, and services see neither", async () => {
    const jwt = await token();
    const seen = { status: 200, body: "web, theme=dark, no assertion" };
    expect(await ask("slim-gecko", { "cf-access-jwt-assertion": jwt, cookie: "theme=dark" })).toEqual(seen);
    expect(await ask("slim-gecko", { cookie: `theme=dark; CF_Authorization=${jwt}` })).toEqual(seen);
    expect(await byHeader(token({ email: undefined, common_name: "tests" }))).toBe(200);
  });

  test("no other caller is", async () => {
    const now = Math.floor(Date.now() / 1000);
    const foreign = await generateKeyPair("RS256");
    const [head, claims] = (await token()).split(".");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    const before = keysAsked;
    expect({
      nothing: (await ask("slim-gecko")).status,
      audience: await byHeader(token({ aud: ["b".repeat(64)] })),
      issuer: await byHeader(token({ iss: "https://evil.cloudflareaccess.com" })),
      expired: await byHeader(token({ iat: now - 7200, exp: now - 3600 })),
      foreignKey: await byHeader(token({}, "k1", foreign)),
      unsigned: await byHeader(`${none}.${claims}.`),
      cut: await byHeader(`${head}.${claims}.`),
      word: await byHeader("let me in"),
    }).toEqual({
      nothing: 401,
      audience: 401,
      issuer: 401,
      expired: 401,
      foreignKey: 401,
      unsigned: 401,
      cut: 401,
      word: 401,
    });
    // None of them made it ask for keys.
    expect(keysAsked).toBe(before);
  });

  test("a new key of the team is taken up, and the one before no longer counts", async () => {
    const next = await generateKeyPair("RS256");
    // A minute after the keys were last read.
    const clock = { "test-clock-ahead": String(60_000) };
    expect(await byHeader(token({ email: "before@example.com" }), clock)).toBe(200);
    published = [await jwk("k2", next)];
    const before = keysAsked;
    for (const email of ["a@example.com", "b@example.com"])
      expect(await byHeader(token({ email }, "k2", next))).toBe(200);
    expect(keysAsked).toBe(before + 1);
    expect(await byHeader(token({ email: "late@example.com" }))).toBe(401);
    // Strangers' names of keys make it ask at most every 30 s.
    for (const kid of ["x", "y", "z"]) expect(await byHeader(token({}, kid))).toBe(401);
    expect(keysAsked).toBe(before + 1);
  });
});
