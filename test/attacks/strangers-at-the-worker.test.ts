/** What a stranger can do to the Worker with requests, and Cloudflare's API with answers. */

import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { EdgeReports } from "../../core/api/edge-report-api.ts";
import { answerSeen, Internet } from "../integration/worker/internet.ts";
import { type Api, apiOf, send, type startWorker, TOKEN } from "../integration/worker/world.ts";

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let api: Api;
let storage: string;
let originSecret: string;

const HOST = "slim-gecko.example.com";

beforeAll(async () => {
  storage = await mkdtemp(join(tmpdir(), "linkup-storage-"));
  internet = await new Internet().start();
  internet.hosts.set("web.example.org", answerSeen("web"));
  internet.hosts.set("admin.example.org", answerSeen("admin"));
  worker = await internet.startWorker({}, storage);
  api = apiOf(worker.url);
  const created = await api("POST", "/linkup/v2/sessions/tunneled", {
    services: [
      { name: "web", location: "https://web.example.org" },
      { name: "admin", location: "https://admin.example.org" },
    ],
    domains: [
      { domain: "example.com", default_service: "web" },
      { domain: "api.example.com", default_service: "web" },
    ],
    desired_name: "slim-gecko",
    session_token: "t",
  });
  originSecret = String(created.json().origin_secret);
});
afterAll(async () => {
  await worker.stop();
  await internet.stop();
  await rm(storage, { recursive: true });
});

const ask = (headers: Record<string, string>, path = "/") =>
  send(worker.url, path, { headers: { host: HOST, ...headers } });
const seen = async (headers: Record<string, string>, path = "/") =>
  JSON.parse((await ask(headers, path)).body);

test("a thousand unknown session names, to fill the storage with an object each", async () => {
  const files = async () => (await readdir(storage, { recursive: true })).length;
  await ask({ host: "unknown.example.com", "cf-connecting-ip": "192.0.2.1" });
  const before = await files();
  for (let n = 0; n < 1000; n++) {
    const tracestate = `linkup-session=other-${n}`;
    const headers = {
      host: `name-${n}.example.com`,
      tracestate,
      "cf-connecting-ip": `198.51.100.${n % 250}`,
    };
    expect([422, 429]).toContain((await ask(headers)).status);
  }
  expect(await files()).toBe(before);
});

describe("guessed invites of sessions that are not there", () => {
  const guess = (name: string, method: string, address: string) =>
    send(worker.url, `/linkup/v2/sessions/${name}/routing`, {
      method,
      headers: { host: HOST, "linkup-access": "guessed", "cf-connecting-ip": address },
      ...(method === "POST" ? { body: JSON.stringify({ services: { web: "local" } }) } : {}),
    });

  test.each(["GET", "POST"])("a thousand, to fill the storage with an object each: by %s", async (method) => {
    const files = async () => (await readdir(storage, { recursive: true })).length;
    const before = await files();
    for (let n = 0; n < 1000; n++) {
      const { status } = await guess(`name-${n}`, method, `203.0.113.${n % 250}`);
      expect(status).toBe(401);
    }
    expect(await files()).toBe(before);
  });

  test("a flood from one address is slowed, whatever it names, and other addresses are not", async () => {
    let status = 0;
    for (let n = 0; n < 200 && status !== 429; n++)
      ({ status } = await guess(`guessed-${n}`, "GET", "192.0.2.77"));
    expect(status).toBe(429);
    expect((await guess("slim-gecko", "GET", "192.0.2.77")).status).toBe(429);
    expect((await guess("slim-gecko", "GET", "192.0.2.78")).status).toBe(401);
  });
});

test("a flood of requests that lost their session, each of which costs the watched sessions a call", async () => {
  const targets: string[] = [];
  const socket = new WebSocket(`${worker.url.replace("http", "ws")}/linkup/v2/sessions/slim-gecko/watch`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  socket.on("message", (message) => {
    const { reports } = JSON.parse(String(message)) as EdgeReports;
    for (const { lost, target } of reports) if (lost) targets.push(target);
  });
  await once(socket, "open");
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const lose = (path: string, address: string) =>
    ask({ host: "unknown.example.com", traceparent, "cf-connecting-ip": address }, path);
  // Isolates learn of the watcher, and the session of its trace, within a second.
  const known = async () => {
    await ask({ traceparent });
    await lose("/before", "192.0.2.80");
    expect(targets).toContain("/before");
  };
  await vi.waitFor(known, { timeout: 10_000, interval: 300 });
  for (let n = 0; n < 200; n++) await lose("/flood", "192.0.2.81");
  await lose("/after", "192.0.2.82");
  await vi.waitFor(() => expect(targets).toContain("/after"), { timeout: 10_000 });
  expect(targets.filter((target) => target === "/flood").length).toBeLessThan(150);
  socket.close();
  await once(socket, "close");
});

describe("linkup-hops that keeps a loop going", () => {
  test.each(["-Infinity", "-1000", "1e-9", "NaN", "0x1", " 1", "00000"])("%s", async (hops) => {
    let rounds = 0;
    internet.hosts.set("loop.example.net", async (request, response) => {
      rounds++;
      const { connection: _, ...headers } = request.headers;
      const again =
        rounds < 50 && (await send(worker.url, "/", { headers: headers as Record<string, string> }));
      response.writeHead(again ? again.status : 200).end(again ? again.body : "");
    });
    await api("POST", "/linkup/v2/sessions/preview", {
      services: [{ name: "web", location: "http://loop.example.net" }],
      domains: [{ domain: "example.com", default_service: "web" }],
      desired_name: "looping",
      session_token: "t",
    });
    const answer = await ask({
      host: "looping.example.com",
      "linkup-hops": hops,
      "linkup-destination": "web",
    });
    expect(answer.status).toBe(508);
    expect(rounds).toBeLessThan(20);
  });
});

describe("linkup-destination from outside", () => {
  test("reaches no service without a route", async () => {
    const { service, headers } = await seen({ "linkup-destination": "admin" });
    expect([service, headers["linkup-destination"]]).toEqual(["web", "web"]);
  });

  test("nor with a guessed proof or secret, which go no further", async () => {
    const { service, headers } = await seen({
      "linkup-destination": "admin",
      "linkup-destination-proof": "0".repeat(64),
      "linkup-origin-secret": "guess",
    });
    expect(service).toBe("web");
    expect(headers).not.toHaveProperty("linkup-destination-proof");
    expect(headers).not.toHaveProperty("linkup-origin-secret");
  });

  test("an earlier hop of the session is believed, for the service that it proves", async () => {
    const proof = createHmac("sha256", originSecret).update("slim-gecko\nadmin").digest("hex");
    const proven = { "linkup-destination-proof": proof };
    expect((await seen({ ...proven, "linkup-destination": "admin" })).service).toBe("admin");
    expect((await seen({ ...proven, "linkup-destination": "web" })).service).toBe("web");
  });
});

test.each([
  "evil.example",
  `${HOST}:80@evil.example`,
  `${HOST}:@evil.example`,
  `${HOST}:80/@evil.example`,
  `${HOST}, evil.example`,
  `${HOST}:80";for="evil.example`,
])("x-forwarded-host: %s, to appear in the links that a service makes", async (forwardedHost) => {
  const { headers } = await seen({
    "x-forwarded-host": forwardedHost,
    "x-forwarded-port": "666",
    forwarded: "host=evil.example",
  });
  expect(headers["x-forwarded-host"]).toBe(HOST);
  expect(headers.forwarded).toContain(`host="${HOST}"`);
  expect(headers["x-forwarded-port"]).toBe("80");
});

describe("a page that may not read a session's answers with its cookies", () => {
  const allowed = async (origin: string, headers: Record<string, string> = {}) =>
    (await ask({ host: "api.example.com", "x-forwarded-host": HOST, origin, ...headers })).headers[
      "access-control-allow-origin"
    ];
  const secure = { "x-forwarded-proto": "https" };

  test("a page without TLS of a session with TLS", async () => {
    expect(await allowed(`http://${HOST}`, secure)).toBeUndefined();
    expect(await allowed(`https://${HOST}`, secure)).toBe(`https://${HOST}`);
  });

  test("a page at any other port", async () => {
    expect(await allowed(`https://${HOST}:3000`, secure)).toBeUndefined();
  });

  test("an extension of the browser", async () => {
    expect(await allowed(`chrome-extension://${HOST}`, secure)).toBeUndefined();
  });
});

describe("patterns and paths that are to keep the Worker busy", () => {
  test("two thousand greedy routes and a long path: other sessions are served meanwhile", async () => {
    const routes = Array.from({ length: 1_900 }, (_, i) => ({ path: `(?:a*b*)*c${i}`, service: "web" }));
    const created = await api("POST", "/linkup/v2/sessions/preview", {
      services: [{ name: "web", location: "https://web.example.org" }],
      domains: [{ domain: "example.com", default_service: "web", routes }],
      desired_name: "greedy",
      session_token: "t",
    });
    expect(created.status).toBe(200);
    await ask({ host: "greedy.example.com" });
    const before = performance.now();
    const slow = ask({ host: "greedy.example.com" }, `/${"ab".repeat(7_000)}`);
    expect((await ask({})).status).toBe(200);
    expect((await slow).status).toBe(200);
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  test("more patterns than a session may have", async () => {
    const routes = Array.from({ length: 5_000 }, (_, i) => ({ path: `/x${i}`, service: "web" }));
    const created = await api("POST", "/linkup/v2/sessions/preview", {
      services: [{ name: "web", location: "https://web.example.org" }],
      domains: [{ domain: "example.com", default_service: "web", routes }],
    });
    expect(created.status).toBe(400);
  });

  test("a path too long to be routed is refused, and not sent to the default service", async () => {
    const answer = await ask({}, `/${"a".repeat(20_000)}`);
    expect([answer.status, answer.headers["linkup-error"]]).toEqual([414, "path-too-long"]);
  });
});

test("Cloudflare's API that answers without end", { timeout: 60_000 }, async () => {
  let sent = 0;
  internet.cloudflare.faults = [{ on: "GET /zones/", times: 3, endless: (bytes) => (sent += bytes) }];
  const other = await internet.startWorker({ CLOUDFLARE_TUNNEL_ZONE_ID: internet.cloudflare.zone.id });
  try {
    const answer = await apiOf(other.url)("POST", "/linkup/v2/sessions/tunneled", {
      services: [{ name: "web", location: "http://localhost:1" }],
      domains: [{ domain: "example.com", default_service: "web" }],
      desired_name: "endless",
      session_token: "t",
    });
    expect([answer.status, answer.body]).toEqual([502, expect.stringContaining("Cloudflare")]);
    expect(sent).toBeLessThan(100 * 1024 * 1024);
  } finally {
    internet.cloudflare.faults = [];
    await other.stop();
  }
});
