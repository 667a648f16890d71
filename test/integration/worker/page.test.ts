/** The operators' page as a client sees it that is no browser, and the attempts to get around it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answerSeen, Internet } from "./internet.ts";
import {
  type Api,
  apiOf,
  oneService,
  type ReceivedResponse,
  send,
  type startWorker,
  TOKEN,
} from "./world.ts";

const HOST = "linkup.example.com";
const ORIGIN = `https://${HOST}`;
/** What Cloudflare's edge says of the operator. */
const EDGE = { "cf-connecting-ip": "192.0.2.1", "x-forwarded-proto": "https" };

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let api: Api;

beforeEach(async () => {
  internet = await new Internet().start();
  internet.hosts.set("web.example.org", answerSeen("web"));
  worker = await internet.startWorker();
  api = apiOf(worker.url);
});
afterEach(async () => {
  await worker.stop();
  await internet.stop();
});

type Headers = Record<string, string>;

const get = (path: string, headers: Headers = {}) =>
  send(worker.url, path, { headers: { host: HOST, ...EDGE, ...headers } });
const post = (path: string, form: Record<string, string>, headers: Headers = {}) =>
  send(worker.url, path, {
    method: "POST",
    headers: {
      host: HOST,
      ...EDGE,
      origin: ORIGIN,
      "sec-fetch-site": "same-origin",
      "content-type": "application/x-www-form-urlencoded",
      ...headers,
    },
    body: new URLSearchParams(form).toString(),
  });
const cookieOf = ({ headers }: ReceivedResponse) => headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
const logIn = async (token = TOKEN): Promise<Headers> => ({
  cookie: cookieOf(await post("/linkup/login", { token })),
});
const preview = (name: string, more: object = {}) =>
  api("POST", "/linkup/v2/sessions/preview", {
    ...oneService("https://web.example.org"),
    desired_name: name,
    ...more,
  });
const namedToken = async (name: string) =>
  String((await api("POST", "/linkup/v2/tokens", { name })).json().token);

describe("logging in", () => {
  test("the cookie is sent to this page only and is not the token; nothing is cached, run or framed", async () => {
    const answer = await post("/linkup/login", { token: TOKEN });
    expect([answer.status, answer.headers.location]).toEqual([303, "/linkup/"]);
    const [cookie] = answer.headers["set-cookie"]!;
    expect(cookie).toMatch(
      /^__Host-linkup-operator=[0-9a-f]{64}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=28800$/,
    );
    expect(cookie).not.toContain(TOKEN);
    for (const page of [
      await get("/linkup/"),
      await get("/linkup/", { cookie: cookieOf(answer) }),
      await get("/linkup/style.css"),
      await get("/linkup/nothing"),
    ]) {
      expect(page.headers).toMatchObject({
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "content-security-policy":
          "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      });
      expect(page.body).not.toContain("<script");
    }
  });

  test("nothing is asked for without TLS", async () => {
    const { status, headers } = await get("/linkup/tokens", { "x-forwarded-proto": "http" });
    expect([status, headers.location]).toEqual([303, `${ORIGIN}/linkup/tokens`]);
  });

  test("without a login only the form is shown", async () => {
    await preview("slim-gecko");
    for (const path of [
      "/linkup/",
      "/linkup/sessions/slim-gecko",
      "/linkup/tokens",
      "/linkup/audit",
      "/linkup/about",
    ]) {
      const { status, body } = await get(path, { cookie: `__Host-linkup-operator=${"0".repeat(64)}` });
      expect([status, body.includes("slim-gecko")]).toEqual([401, false]);
    }
    expect((await get("/", {})).headers.location).toBe("/linkup/");
  });

  test("logging out and a revoked token end it", async () => {
    const main = await logIn();
    const ci = await logIn(await namedToken("ci"));
    expect((await get("/linkup/", ci)).body).toContain("token <code>ci</code>");
    await post("/linkup/tokens/ci/revoke", {}, main);
    expect((await get("/linkup/", ci)).status).toBe(401);
    const out = await post("/linkup/logout", {}, main);
    expect(out.headers["set-cookie"]![0]).toContain("Max-Age=0");
    expect((await get("/linkup/", main)).status).toBe(401);
  });

  test("guesses of tokens and of cookies are slowed, the operator elsewhere is not", async () => {
    const operator = await logIn();
    const guesser = { "cf-connecting-ip": "203.0.113.9" };
    const statuses = new Set<number>();
    for (let n = 0; n < 35; n++) {
      statuses.add((await post("/linkup/login", { token: `guess ${n}` }, guesser)).status);
      const cookie = `__Host-linkup-operator=${String(n).padStart(64, "a")}`;
      statuses.add((await get("/linkup/", { ...guesser, cookie })).status);
    }
    expect([...statuses].sort()).toEqual([401, 429]);
    const last = await post("/linkup/login", { token: TOKEN }, guesser);
    expect([last.status, Number(last.headers["retry-after"]) > 0]).toEqual([429, true]);
    expect((await get("/linkup/", operator)).status).toBe(200);
  });
});

describe("forged requests", () => {
  test.each([
    [
      "of a session's page, which is same-site",
      { origin: "https://slim-gecko.example.com", "sec-fetch-site": "same-site" },
    ],
    ["of another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["without TLS", { origin: `http://${HOST}` }],
    ["of a sandboxed frame", { origin: "null" }],
    ["that lie about their origin", { "sec-fetch-site": "cross-site" }],
  ])("%s change nothing", async (_, headers: Headers) => {
    const operator = await logIn();
    await preview("slim-gecko");
    for (const path of [
      "/linkup/sessions/slim-gecko/delete",
      "/linkup/tokens",
      "/linkup/logout",
      "/linkup/login",
    ])
      expect((await post(path, { name: "evil", token: TOKEN }, { ...operator, ...headers })).status).toBe(
        403,
      );
    expect((await api("GET", "/linkup/v2/sessions/slim-gecko")).status).toBe(200);
    expect((await api("GET", "/linkup/v2/tokens")).json()).toEqual({ tokens: [] });
    expect((await get("/linkup/", operator)).status).toBe(200);
  });

  test("the API ignores the cookie as a bearer token", async () => {
    expect((await get("/linkup/v2/sessions", await logIn())).status).toBe(401);
  });

  test("a form that is too large is refused", async () => {
    expect((await post("/linkup/login", { token: "x".repeat(5000) })).status).toBe(413);
  });
});

describe("hosts", () => {
  test("on a session's host the paths are the service's, API calls aside", async () => {
    await preview("slim-gecko");
    const host = "slim-gecko.example.com";
    for (const path of ["/linkup/", "/linkup/tokens", "/linkup/style.css"])
      expect(JSON.parse((await get(path, { host })).body)).toMatchObject({ service: "web", url: path });
    expect((await get("/linkup/v2/sessions", { host })).status).toBe(401);
  });

  test("no service answers on the page's host, even with a session named: it would share the origin", async () => {
    await preview("slim-gecko", {
      domains: [
        { domain: HOST, default_service: "web" },
        { domain: "example.com", default_service: "web" },
      ],
    });
    for (const headers of [
      { referer: "https://slim-gecko.example.com/" },
      { origin: "https://slim-gecko.example.com" },
      { tracestate: "linkup-session=slim-gecko" },
      { "x-forwarded-host": "slim-gecko.example.com" },
      { cookie: "linkup-session=slim-gecko" },
    ] as Headers[])
      for (const path of ["/linkup/", "/x", "/linkup/x.js"])
        expect([401, 404]).toContain((await get(path, headers)).status);
  });

  test("LINKUP_PAGE_HOSTS names other hosts, or disables the page", async () => {
    await worker.stop();
    worker = await internet.startWorker({ LINKUP_PAGE_HOSTS: "ops.example.com, edge.example.net" });
    expect((await get("/linkup/", { host: "edge.example.net" })).body).toContain("<title>Log in");
    expect((await get("/linkup/")).status).toBe(422);
    await worker.stop();
    worker = await internet.startWorker({ LINKUP_PAGE_HOSTS: "" });
    expect((await get("/linkup/")).status).toBe(422);
  });
});

describe("what it shows and does", () => {
  test("a named token sees all, changes its own, and manages no tokens", async () => {
    const token = await namedToken("ci");
    await preview("others");
    await apiOf(worker.url, token)("POST", "/linkup/v2/sessions/preview", {
      ...oneService("https://web.example.org"),
      desired_name: "own",
    });
    const ci = await logIn(token);
    expect((await get("/linkup/", ci)).body).toMatch(/others[\s\S]*own/);
    expect((await get("/linkup/sessions/others", ci)).body).toContain("Only its owner may");
    expect((await post("/linkup/sessions/others/delete", {}, ci)).status).toBe(403);
    expect((await post("/linkup/sessions/others/extend", { for: "60" }, ci)).status).toBe(403);
    expect((await post("/linkup/sessions/own/extend", { for: "86400" }, ci)).headers.location).toBe(
      "/linkup/sessions/own?done=extended&name=own",
    );
    expect((await post("/linkup/sessions/own/delete", {}, ci)).status).toBe(303);
    for (const path of ["/linkup/tokens", "/linkup/audit"]) expect((await get(path, ci)).status).toBe(403);
    expect((await post("/linkup/tokens", { name: "x" }, ci)).status).toBe(403);
    const { entries } = (await api("GET", "/linkup/v2/audit?limit=4")).json() as {
      entries: { action: string; subject: string; token: string | null }[];
    };
    expect(entries.map(({ action, subject, token }) => `${action} ${subject} ${token}`)).toEqual([
      "deleted own ci",
      "extended own ci",
      "logged-in ci ci",
      "created own ci",
    ]);
  });

  test("text of others is text", async () => {
    await preview("slim-gecko", {
      services: [{ name: '"><img src=x>', location: "https://web.example.org/'\"><b>" }],
      domains: [{ domain: "example.com", default_service: '"><img src=x>' }],
    });
    const { body } = await get("/linkup/sessions/slim-gecko?done=deleted&name=%3Cb%3E", await logIn());
    expect(body).toContain("&#34;&#62;&#60;img src=x&#62;");
    expect(body).not.toMatch(/<img|<b>/);
    expect((await get("/linkup/?q=%22%3E%3Cb%3E", await logIn())).body).not.toContain("<b>");
    for (const done of ["constructor", "__proto__"])
      expect((await get(`/linkup/?done=${done}&name=you`, await logIn())).body).not.toContain(" you.");
  });
});
