/** Ways into a private session without an invite to it, at a Worker as it is deployed. */
import { once } from "node:events";
import http from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessCookieHeader, accessCookieMac } from "../../core/access/access-cookie.ts";
import { hourOf, traceProof } from "../../core/access/trace-proof.ts";
import type { NewInvite } from "../../core/api/access-api.ts";
import { answerSeen, Internet } from "../integration/worker/internet.ts";
import {
  type Api,
  apiOf,
  type ReceivedResponse,
  send,
  type startWorker,
} from "../integration/worker/world.ts";

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let api: Api;
let traceKey = "";

const NAME = "slim-gecko";
const HOST = `${NAME}.example.com`;
const SECRET = "the content of the session";
type Lines = Record<string, string>;

const session = (name: string, more = {}) => ({
  services: [
    { name: "web", location: "https://web.example.org" },
    { name: "echo", location: "https://echo.example.org" },
  ],
  domains: [
    { domain: "example.com", default_service: "web", routes: [{ path: "^/echo", service: "echo" }] },
    { domain: "api.example.com", default_service: "web" },
    { domain: "other.example.net", default_service: "web" },
  ],
  desired_name: name,
  session_token: `token of ${name}`,
  access: "private",
  access_open: ["^/webhooks/"],
  ...more,
});

beforeAll(async () => {
  internet = await new Internet().start();
  internet.hosts.set("web.example.org", (_, response) => response.end(SECRET));
  internet.hosts.set("echo.example.org", answerSeen("echo"));
  internet.server.on("upgrade", (_, socket: Socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
    socket.write("Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n");
  });
  worker = await internet.startWorker();
  api = apiOf(worker.url);
  const created = await api("POST", "/linkup/v2/sessions/tunneled", session(NAME));
  expect(created.json()).toMatchObject({ access: "private" });
  traceKey = String(created.json().trace_key);
  expect((await api("POST", "/linkup/v2/sessions/preview", session("bold-cat"))).json()).toEqual({
    session_name: "bold-cat",
    access: "private",
  });
});
afterAll(async () => {
  await worker.stop();
  for (const socket of sockets) socket.destroy();
  await internet.stop();
});
const sockets: Socket[] = [];

let addresses = 0;
/** A client whose address no other has. */
const newAddress = () => `198.51.${++addresses >> 8}.${addresses & 255}`;

function ask(lines: Lines, path = "/", address = newAddress(), method = "GET"): Promise<ReceivedResponse> {
  const headers = { host: HOST, "x-forwarded-proto": "https", "cf-connecting-ip": address, ...lines };
  return lines.upgrade ? handshake(headers, path) : send(worker.url, path, { headers, method });
}

async function handshake(headers: Lines, path: string): Promise<ReceivedResponse> {
  const { hostname, port } = new URL(worker.url);
  const request = http.request({ hostname, port, path, headers, agent: false }).end();
  const [answer] = (await Promise.race([once(request, "response"), once(request, "upgrade")])) as [
    http.IncomingMessage,
  ];
  const body = answer.statusCode === 101 ? "" : await text(answer);
  if (answer.statusCode === 101) answer.socket.destroy();
  return { status: answer.statusCode ?? 0, headers: answer.headers, rawHeaders: answer.rawHeaders, body };
}

async function invite(body: object = {}, name = NAME): Promise<NewInvite> {
  const made = await api("POST", `/linkup/v2/sessions/${name}/invites`, body);
  expect(made.status, made.body).toBe(200);
  return made.json() as unknown as NewInvite;
}

const revoke = (id: string) => api("DELETE", `/linkup/v2/sessions/${NAME}/invites/${id}`);

/** Opens the link as a browser does. Returns the answers, the cookies of all, and where it ends. */
async function join(url: string, address = newAddress()) {
  const { host, hash } = new URL(url);
  const common = { "x-forwarded-proto": "https", "cf-connecting-ip": address };
  const answers: ReceivedResponse[] = [
    await send(worker.url, "/linkup/join", {
      method: "POST",
      headers: { ...common, host, "content-type": "application/x-www-form-urlencoded" },
      body: `token=${hash.slice(1)}`,
    }),
  ];
  for (
    let next = new URL(answers[0]!.headers.location ?? "https://none/");
    next.pathname === "/linkup/join";
  ) {
    const answer = await send(worker.url, next.pathname + next.search, {
      headers: { ...common, host: next.host },
    });
    answers.push(answer);
    next = new URL(answer.headers.location ?? "https://none/");
  }
  const setCookies = answers.flatMap(({ headers }) => headers["set-cookie"] ?? []);
  return {
    answers,
    setCookies,
    cookie: setCookies[0]?.split(";", 1)[0] ?? "",
    end: answers.at(-1)!.headers.location,
  };
}

/** Requests that belong to the session, one for each place where its name may stand. */
const WAYS: [string, Lines][] = [
  ["its host", {}],
  ["its host on another domain", { host: `${NAME}.other.example.net` }],
  ["x-forwarded-host", { host: "api.example.com", "x-forwarded-host": HOST }],
  ["Referer", { host: "api.example.com", referer: `https://${HOST}/` }],
  ["Origin", { host: "api.example.com", origin: `https://${HOST}` }],
  ["tracestate", { host: "api.example.com", tracestate: `linkup-session=${NAME}` }],
  ["baggage", { host: "api.example.com", baggage: `linkup-session=${NAME}` }],
  ["the session's cookie", { host: "api.example.com", cookie: `linkup-session=${NAME}` }],
  [
    "a WebSocket",
    {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    },
  ],
  [
    "linkup-destination of a hop",
    { "linkup-destination": "web", "linkup-hops": "1", "linkup-origin-secret": "x" },
  ],
  ["a preflight", { origin: `https://${HOST}`, "access-control-request-method": "POST" }],
];

function expectRefused(answer: ReceivedResponse): void {
  expect([answer.status, answer.headers["www-authenticate"], answer.headers["linkup-error"]]).toEqual([
    401,
    "Linkup",
    "private-session",
  ]);
  expect(answer.headers["cache-control"]).toBe("no-store");
  expect(answer.body).not.toContain(SECRET);
  expect(answer.body).not.toContain("example.org");
  expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
}

const withCookie = (lines: Lines, cookie: string): Lines => ({
  ...lines,
  cookie: lines.cookie ? `${lines.cookie}; ${cookie}` : cookie,
});
const withMember = (lines: Lines, proof: string): Lines => ({
  ...lines,
  tracestate: `${lines.tracestate ? `${lines.tracestate},` : ""}linkup-access=${proof}`,
});

describe.each(WAYS)("by %s", (way, lines) => {
  const isOwn = way !== "linkup-destination of a hop";

  test("without a proof", async () => expectRefused(await ask(lines)));

  test("with a forged cookie, token and trace", async () => {
    const expires = Date.now() + 1e9;
    const cookie = accessCookieHeader(
      NAME,
      { id: "owner", expires, mac: "0".repeat(32) },
      { domain: undefined },
      "https",
      0,
    );
    expectRefused(await ask(withCookie(lines, cookie.split(";")[0]!)));
    expectRefused(await ask({ ...lines, "linkup-access": "a".repeat(64) }));
    expectRefused(await ask(withMember(lines, `owner.${"0".repeat(32)}`)));
  });

  test("with another session's cookie, token and trace, under this one's name", async () => {
    const { cookie } = await join((await invite({}, "bold-cat")).url!);
    expect(cookie).toContain("bold-cat");
    expectRefused(await ask(withCookie(lines, cookie)));
    expectRefused(await ask(withCookie(lines, cookie.replace("bold-cat", NAME))));
    const { token } = await invite({ kind: "token" }, "bold-cat");
    expectRefused(await ask({ ...lines, "linkup-access": token! }));
    expectRefused(
      await ask(withMember(lines, await traceProof(traceKey, "bold-cat", "owner", hourOf(Date.now())))),
    );
  });

  test("with proofs of a revoked invite, within a second", async () => {
    const link = await invite();
    const { cookie } = await join(link.url!);
    const given = await invite({ kind: "token" });
    const proof = await traceProof(traceKey, NAME, given.id, hourOf(Date.now()));
    const proven = [
      withCookie(lines, cookie),
      { ...lines, "linkup-access": given.token! },
      withMember(lines, proof),
    ];
    for (const each of proven) expect((await ask(each)).status).not.toBe(401);
    await revoke(link.id);
    await revoke(given.id);
    for (const each of proven) expectRefused(await ask(each));
  });

  test("with proofs that have ended", async () => {
    const mac = (expires: number) => accessCookieMac("not the key", NAME, { id: "owner", expires });
    const old = { id: "owner", expires: Date.now() - 1, mac: await mac(Date.now() - 1) };
    const cookie = accessCookieHeader(NAME, old, { domain: undefined }, "https", 0).split(";")[0]!;
    expectRefused(await ask(withCookie(lines, cookie)));
    const now = hourOf(Date.now());
    expectRefused(await ask(withMember(lines, await traceProof(traceKey, NAME, "owner", now - 2))));
    expectRefused(await ask(withMember(lines, await traceProof(traceKey, NAME, "owner", now + 1))));
    if (isOwn)
      expect(
        (await ask(withMember(lines, await traceProof(traceKey, NAME, "owner", now - 1)))).status,
      ).not.toBe(401);
  });
});

test("when an invite ends, the access that it gave ends too", async () => {
  const link = await invite({ expires_in: 2 });
  const given = await invite({ kind: "token", expires_in: 2 });
  const { cookie } = await join(link.url!);
  expect((await ask({ cookie })).status).toBe(200);
  await expect.poll(async () => (await ask({ cookie })).status).toBe(401);
  await expect.poll(async () => (await ask({ "linkup-access": given.token! })).status).toBe(401);
  expect((await ask({ cookie })).body).toContain("has expired");
  expect((await join(link.url!)).answers[0]!.status).toBe(401);
});

test.each(["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PROPFIND"])("by %s", async (method) => {
  const reached: string[] = [];
  internet.hosts.set("web.example.org", ({ method }, response) => {
    reached.push(method!);
    response.end(SECRET);
  });
  expectRefused(await ask({}, "/", newAddress(), method));
  expect(reached).toEqual([]);
});

test("programs are told in a few lines of text, gRPC's by its own status", async () => {
  for (const accept of ["*/*", "application/json", "image/avif,*/*"]) {
    const { headers, body } = await ask({ accept });
    expect([headers["content-type"], body.length < 500, body.includes("<")]).toEqual([
      "text/plain; charset=utf-8",
      true,
      false,
    ]);
  }
  const { status, headers, body } = await ask({ "content-type": "application/grpc" });
  // UNAUTHENTICATED
  expect([status, headers["grpc-status"], headers["www-authenticate"], body]).toEqual([
    200,
    "16",
    "Linkup",
    "",
  ]);
});

describe("an invite that is played back", () => {
  test("a link for one use, by many at once", async () => {
    const { url } = await invite({ uses: 1 });
    const joined = await Promise.all(Array.from({ length: 8 }, () => join(url!)));
    expect(joined.filter(({ setCookies }) => setCookies.length > 0)).toHaveLength(1);
    const link = (await api("POST", `/linkup/v2/sessions/${NAME}/owner-link`)).json();
    const owners = await Promise.all(Array.from({ length: 8 }, () => join(String(link.url))));
    expect(owners.filter(({ setCookies }) => setCookies.length > 0)).toHaveLength(1);
  });

  test("the owner's link leads to the session alone", async () => {
    for (const to of [
      "https://evil.example/",
      `https://${HOST}.evil.example/`,
      `https://${HOST}@evil.example/`,
      `http://${HOST}/`,
      "javascript:alert(1)",
      "https://bold-cat.example.com/",
    ]) {
      const made = await api("POST", `/linkup/v2/sessions/${NAME}/owner-link`, { to });
      const { url } = made.json() as { url: string };
      expect([new URL(url).host, (await join(url)).end]).toEqual([HOST, `https://${HOST}/`]);
    }
  });

  test("a link for one use, the second time", async () => {
    const { url } = await invite({ uses: 1 });
    expect((await join(url!)).setCookies).not.toEqual([]);
    const again = await join(url!);
    expect([again.answers[0]!.status, again.setCookies]).toEqual([401, []]);
    expect(again.answers[0]!.body).toContain("has no uses left");
  });

  test("the owner's link, the second time", async () => {
    const made = await api("POST", `/linkup/v2/sessions/${NAME}/owner-link`);
    const { url } = made.json() as { url: string };
    const { cookie, end } = await join(url);
    expect([(await ask({ cookie })).body, end]).toEqual([SECRET, `https://${HOST}/`]);
    expect((await join(url)).answers[0]!.status).toBe(401);
  });

  test("the address of a redirect on its way", async () => {
    const { answers } = await join((await invite()).url!);
    const location = new URL(answers[0]!.headers.location!);
    const again = await ask({ host: location.host }, location.pathname + location.search);
    expect([again.status, again.headers["set-cookie"]]).toEqual([401, undefined]);
    for (const { headers } of answers) expect(headers["referrer-policy"]).toBe("no-referrer");
  });

  test("a link revoked before it is opened, one as a token, and a token as a link", async () => {
    const link = await invite();
    expectRefused(await ask({ "linkup-access": new URL(link.url!).hash.slice(1) }));
    await revoke(link.id);
    expect((await join(link.url!)).answers[0]!.status).toBe(401);
    const { token } = await invite({ kind: "token" });
    expect((await join(`https://${HOST}/linkup/join#${token}`)).answers[0]!.status).toBe(401);
  });
});

test("a flood of guesses is slowed, and other clients are not", async () => {
  const flooding = newAddress();
  const statuses = new Set<number>();
  for (let n = 0; n < 80; n++)
    statuses.add((await ask({ "linkup-access": `guess ${n}` }, "/", flooding)).status);
  expect(statuses).toEqual(new Set([401, 429]));
  const joins = new Set<number>();
  for (let n = 0; n < 40; n++)
    joins.add((await join(`https://${HOST}/linkup/join#guess${n}`, flooding)).answers[0]!.status);
  expect(joins).toEqual(new Set([401, 429]));
  const tickets = new Set<number>();
  const other = newAddress();
  for (let n = 0; n < 80; n++) tickets.add((await ask({}, `/linkup/join?ticket=${n}`, other)).status);
  expect(tickets).toEqual(new Set([401, 429]));
  expect((await ask({})).status).toBe(401);
  expect((await join((await invite()).url!)).setCookies).not.toEqual([]);
});

test("a flood from all addresses of one IPv6 network is slowed as one", async () => {
  const statuses = new Set<number>();
  for (let n = 0; n < 80; n++)
    statuses.add(
      (await ask({ "linkup-access": `guess ${n}` }, "/", `2001:db8:5:6::${n.toString(16)}`)).status,
    );
  expect(statuses).toEqual(new Set([401, 429]));
});

test("wrong cookies from another session's page do not block the right one", async () => {
  const home = newAddress();
  const { cookie } = await join((await invite()).url!, home);
  const [name] = cookie.split("=");
  for (let n = 0; n < 80; n++) {
    const tossed = `${name}=owner.zzzzzzzz.${n.toString(16).padStart(32, "0")}`;
    expect((await ask({ cookie: `${tossed}; ${cookie}` }, "/", home)).status).toBe(200);
  }
});

describe("in the browser of somebody invited", () => {
  const page = { origin: `https://${HOST}`, host: "api.example.com" };
  let cookie = "";
  let home = "";

  beforeAll(async () => {
    home = newAddress();
    ({ cookie } = await join((await invite()).url!, home));
  });

  test("cookieless requests of the session's pages are allowed from the same network", async () => {
    expect((await ask(page, "/", home)).body).toBe(SECRET);
    const preflight = { ...page, "access-control-request-method": "PUT" };
    expect((await ask(preflight, "/", home)).status).toBe(200);
    expect((await ask({ referer: `https://${HOST}/` }, "/image.png", home)).body).toBe(SECRET);
    expectRefused(await ask(page, "/", newAddress()));
    expectRefused(await ask({}, "/", home));
  });

  test.each([
    "x-forwarded-for",
    "x-real-ip",
    "true-client-ip",
    "x-client-ip",
    "forwarded",
    "cf-connecting-ipv6",
  ])("%s puts nobody into that network", async (header) => {
    const value = header === "forwarded" ? `for=${home}` : home;
    expectRefused(await ask({ ...page, [header]: value }, "/", newAddress()));
  });

  test.each([
    ["an image", { referer: "https://bold-cat.example.com/", "sec-fetch-dest": "image" }],
    ["a script", { referer: "https://bold-cat.example.com/", "sec-fetch-dest": "script" }],
    ["a script that hides where it is used", { "sec-fetch-dest": "script" }],
  ])("%s on a page of another session, with the cookie that the same site gets", async (_, lines) => {
    const common = { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" };
    expectRefused(await ask({ ...common, ...lines, cookie } as Lines, "/", home));
  });

  test.each([
    ["a fetch", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["an image", { referer: "https://evil.example/", "sec-fetch-site": "cross-site" }],
    ["an image of a page that hides", { "sec-fetch-site": "cross-site" }],
    ["a form", { origin: "https://evil.example", "content-type": "application/x-www-form-urlencoded" }],
    ["a WebSocket", { origin: "https://evil.example", connection: "Upgrade", upgrade: "websocket" }],
    ["a frame without an origin", { origin: "null", "sec-fetch-site": "cross-site" }],
    ["a look-alike", { origin: `https://${HOST}.evil.example`, "sec-fetch-site": "cross-site" }],
    ["a page of another session", { origin: "https://bold-cat.example.com", "sec-fetch-site": "same-site" }],
  ])("%s of evil.example", async (_, lines) => {
    expectRefused(await ask(lines as Lines, "/", home));
    // Browsers keep the cookie to themselves there, but for pages of the same site.
    if ("origin" in lines) expectRefused(await ask({ ...(lines as Lines), cookie }, "/", home));
  });

  test("evil.example cannot have the invite sent from its own page", async () => {
    const { hash } = new URL((await invite()).url!);
    const answer = await send(worker.url, "/linkup/join", {
      method: "POST",
      headers: { host: HOST, "x-forwarded-proto": "https", "sec-fetch-site": "cross-site" },
      body: `token=${hash.slice(1)}`,
    });
    expect([answer.status, answer.headers["set-cookie"]]).toEqual([403, undefined]);
  });
});

describe("a service that echoes its headers", () => {
  const echoed = async (lines: Lines, path = "/echo") =>
    JSON.parse((await ask(lines, path)).body).headers as Lines;

  test("gets no cookie and no token, and a proof that ends with the invite", async () => {
    const link = await invite();
    const given = await invite({ kind: "token" });
    const { cookie } = await join(link.url!);
    const seen = await echoed({ cookie: `a=1; ${cookie}; b=2`, "linkup-access": given.token! });
    expect(seen.cookie).toBe("a=1; b=2");
    expect(seen).not.toHaveProperty("linkup-access");
    expect(JSON.stringify(seen)).not.toContain(given.token);
    expect(seen.tracestate).toContain(`linkup-access=${link.id}.`);
    expect(seen.baggage).toContain(`linkup-access=${link.id}.`);

    // As the services of the session pass it on, and as whoever read the echo sends it.
    const passedOn = { host: "api.example.com", tracestate: seen.tracestate! };
    expect((await ask(passedOn)).body).toBe(SECRET);
    expect((await ask({ host: "api.example.com", baggage: seen.baggage! })).body).toBe(SECRET);
    await revoke(link.id);
    expectRefused(await ask(passedOn));
    expectRefused(await ask({ host: "api.example.com", baggage: seen.baggage! }));
  });

  test("shows strangers on an open path no proof", async () => {
    await api("PUT", `/linkup/v2/sessions/${NAME}/access`, { access: "private", open: ["^/echo/open"] });
    const seen = await echoed({ tracestate: `linkup-access=owner.${"0".repeat(32)}` }, "/echo/open");
    expect(JSON.stringify(seen)).not.toContain("linkup-access");
    expectRefused(await ask({}, "/echo/other"));
    await api("PUT", `/linkup/v2/sessions/${NAME}/access`, { access: "private", open: ["^/webhooks/"] });
  });
});

/** As a client that normalises nothing sends it. */
async function raw(target: string): Promise<string> {
  const { hostname, port } = new URL(worker.url);
  const socket = connect(Number(port), hostname);
  socket.end(
    `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n`,
  );
  return text(socket);
}

test.each(["x-original-url", "x-rewrite-url"])("%s does not lead out of an open path", async (header) => {
  expect((await ask({}, "/webhooks/github")).body).toBe(SECRET);
  expectRefused(await ask({ [header]: "/page" }, "/webhooks/github"));
});

test("an open path whose pattern backtracks for ever costs little, and is not open", async () => {
  await api("PUT", `/linkup/v2/sessions/${NAME}/access`, { access: "private", open: ["^/(a|a|aa)+(a+)+$"] });
  const start = performance.now();
  expectRefused(await ask({}, `/${"a".repeat(8_000)}b`));
  expect(performance.now() - start).toBeLessThan(5_000);
  await api("PUT", `/linkup/v2/sessions/${NAME}/access`, { access: "private", open: ["^/webhooks/"] });
});

test.each([
  "/webhooks/../page",
  "/webhooks/..%3b/page",
  "/webhooks/%c0%ae%c0%ae/page",
  "/webhooks/.%0d./page",
  "/webhooks/%5c../page",
  "/webhooks/%2e%2e/page",
  "/webhooks/..%2fpage",
  "/webhooks/..;/page",
  "/webhooks//../page",
  "/x?/webhooks/",
  "/x#/webhooks/",
])("%s does not lead out of an open path", async (target) => {
  expect(await raw("/webhooks/github")).toContain(SECRET);
  expect(await raw(target)).not.toContain(SECRET);
});

test("a response to an allowed request is cached for nobody else, and in no shared cache", async () => {
  internet.hosts.set("web.example.org", (_, response) => {
    response.setHeader("cache-control", "public, max-age=60, s-maxage=600").end(SECRET);
  });
  await api("POST", "/linkup/v2/sessions/tunneled", { ...session(NAME), cache_routes: ["^/static/"] });
  const { cookie } = await join((await invite()).url!);
  const answer = await ask({ cookie }, "/static/x.js");
  expect([answer.body, answer.headers["cache-control"]]).toEqual([SECRET, "private, max-age=60"]);
  expect((await ask({ cookie }, "/static/x.js")).body).toBe(SECRET);
  expectRefused(await ask({}, "/static/x.js"));
});

describe("the API", () => {
  test("of a caller who does not own the session", async () => {
    const { token } = (await api("POST", "/linkup/v2/tokens", { name: "mallory" })).json();
    const mallory = apiOf(worker.url, String(token));
    const calls: [string, string, unknown?][] = [
      ["GET", "access"],
      ["PUT", "access", { access: "public" }],
      ["GET", "invites"],
      ["POST", "invites", {}],
      ["DELETE", "invites/abc"],
      ["POST", "owner-link"],
    ];
    for (const [method, path, body] of calls)
      expect((await mallory(method, `/linkup/v2/sessions/${NAME}/${path}`, body)).status, path).toBe(403);
    const same = { ...session(NAME), session_token: "another", access: "public" };
    expect((await mallory("POST", "/linkup/v2/sessions/tunneled", same)).status).toBe(409);
    expectRefused(await ask({}));
  });

  test("an invite or the next session of the name gives nothing of the one before", async () => {
    const { url } = await invite({}, "bold-cat");
    const { cookie } = await join(url!);
    expect((await api("DELETE", "/linkup/v2/sessions/bold-cat")).status).toBe(204);
    await api("POST", "/linkup/v2/sessions/preview", session("bold-cat", { session_token: "of another" }));
    expect((await ask({ host: "bold-cat.example.com", cookie })).status).toBe(401);
    expect((await join(url!)).answers[0]!.status).toBe(401);
  });

  test("lists invites without their secrets", async () => {
    const { url } = await invite({ name: "Ada" });
    const { body } = await api("GET", `/linkup/v2/sessions/${NAME}/invites`);
    expect(body).toContain('"name":"Ada"');
    expect(body).not.toContain(new URL(url!).hash.slice(1));
    expect(body).not.toContain("hash");
  });
});
