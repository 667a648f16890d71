/** The request log: what is told of an exchange, on both protocols. */
import { request as httpRequest } from "node:http";
import { connect as connectSocket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import type { Exchange, ExchangeDetails, FollowedExchange } from "../../../core/api/request-log-api.ts";
import { controlAddress } from "../../../node/control-address.ts";
import { connectHttp1, connectHttp2, protocols, raw, type TestClient } from "./clients.ts";
import { APP, putSession, SESSION, type System, startSystem, until, WILD } from "./system.ts";
import { webSocketOverHttp2 } from "./websocket-over-http2.ts";

let system: System;
let sockets: WebSocketServer;
beforeAll(async () => {
  system = await startSystem();
  sockets = new WebSocketServer({ server: system.app.server });
});
afterEach(async () => {
  system.app.handler = undefined;
  sockets.removeAllListeners("connection");
  await putSession(system);
});
afterAll(() => system.stop());

async function list(query = ""): Promise<Exchange[]> {
  const { status, body } = await system.server.control("GET", `/v1/requests${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return (body as { requests: Exchange[] }).requests;
}

async function details(id: number): Promise<ExchangeDetails> {
  return (await system.server.control("GET", `/v1/requests/${id}`)).body as ExchangeDetails;
}

/** The newest exchange with this path, once it is over. */
async function over(path: string): Promise<ExchangeDetails> {
  let found: Exchange | undefined;
  await until(async () => {
    found = (await list(`?path=${encodeURIComponent(path)}`)).at(-1);
    return found !== undefined && found.state !== "open";
  }, `${path} is over`);
  return details(found!.id);
}

describe.each(protocols)("%s", (protocol, connect) => {
  let client: TestClient;
  beforeAll(() => {
    client = connect(system);
  });
  afterAll(() => client.close());

  test("a request: who, where to, why, how long, how much", async () => {
    const before = Date.now();
    const { body } = await client.request({ host: APP, path: "/a/b?c=d", method: "POST", body: "12345" });
    const exchange = await over("/a/b?c=d");
    expect(exchange).toMatchObject({
      listener: "browser",
      protocol,
      secure: protocol === "HTTP/2",
      method: "POST",
      host: APP,
      client_host: APP,
      target: "/a/b?c=d",
      session: SESSION,
      session_by: "host",
      service: "app",
      at: "local",
      url: `http://localhost:${system.app.port}/a/b?c=d`,
      state: "complete",
      status: 200,
      failure: null,
      broken: null,
      request_bytes: 5,
      response_bytes: body.length,
      websocket: null,
      sender: null,
    });
    expect(exchange.time).toBeGreaterThanOrEqual(before - 1);
    expect(exchange.time).toBeLessThanOrEqual(Date.now());
    const { queue, first_byte, total } = exchange.timings;
    expect(queue).toBe(0);
    expect(first_byte).toBeGreaterThan(0);
    expect(total).toBeGreaterThanOrEqual(first_byte!);
  });

  test("how the service was found, as explain tells it, and the client's own headers", async () => {
    await putSession(system, { services: { rewrites: [{ source: "/old/(.*)", target: "/new/$1" }] } });
    const headers = [
      "X-Twice",
      "1",
      "X-Twice",
      "2",
      "Referer",
      `https://${APP}/page`,
      "Origin",
      `https://${APP}`,
    ];
    await client.request({ host: "example.com", path: "/old/x", headers: [...headers, "Linkup-Hops", "3"] });
    const exchange = await over("/old/x");
    expect(exchange).toMatchObject({ session_by: "referer", url: expect.stringMatching(/\/new\/x$/) });
    expect(exchange.explanation).toMatchObject({
      candidates: [{ name: SESSION, source: "referer", known: true }],
      session: SESSION,
      decision: {
        outcome: "routed",
        service: { name: "app" },
        reason: { by: "default" },
        match: { source: "host", domain: { domain: "example.com" } },
        rewrites: [{ path: "/new/x" }],
      },
    });
    const lower = exchange.request_headers.map(([name, value]) => [name.toLowerCase(), value]);
    for (const line of [
      ["host", "example.com"],
      ["x-twice", "1"],
      ["x-twice", "2"],
      ["referer", `https://${APP}/page`],
      ["origin", `https://${APP}`],
      ["linkup-hops", "3"],
    ])
      expect(lower).toContainEqual(line);
    const names = lower.map(([name]) => name);
    for (const added of ["traceparent", "tracestate", "linkup-destination", "x-forwarded-host", "connection"])
      expect(names).not.toContain(added);
    expect(names.filter((name) => name === "host")).toHaveLength(1);
  });

  test("the headers of the answer as the client got them", async () => {
    system.app.handler = (_request, response) => {
      response.setHeader("Location", `http://localhost:${system.app.port}/next`);
      response.setHeader("X-Own", "1").writeHead(302).end();
    };
    const { raw: got } = await client.request({
      host: APP,
      path: "/moved",
      headers: ["Origin", `https://${APP}`],
    });
    const { response_headers: told } = await over("/moved");
    const pairs = got.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), got[i + 1]]] : []));
    const hop = ["connection", "keep-alive", "transfer-encoding"];
    expect(told!.map(([name, value]) => [name.toLowerCase(), value]).toSorted()).toEqual(
      pairs.filter(([name]) => !hop.includes(name!)).toSorted(),
    );
    expect(told).toContainEqual(["Location", "/next"]);
  });

  test("no secret of it", async () => {
    const secret = "s3cr3t-9f8e7d";
    system.app.handler = (_request, response) => {
      response.setHeader("Set-Cookie", [`sid=${secret}; Path=/; HttpOnly`, `b=${secret}`]);
      response.setHeader(
        "Location",
        `https://user:${secret}@example.com/cb?code=${secret}#access_token=${secret}`,
      );
      response.writeHead(302).end();
    };
    await client.request({
      host: APP,
      path: `/login?token=${secret}&%74oken=${secret}&x=1`,
      headers: [
        ...["Authorization", `Bearer ${secret}`, "Cookie", `a=${secret}`, "Cookie", `b=${secret}`],
        ...["X-Api-Key", secret, "X-Auth-Token", secret, "Referer", `https://${APP}/?password=${secret}`],
      ],
    });
    const exchange = await over("/login");
    expect(JSON.stringify([exchange, await list()])).not.toContain(secret);
    expect(exchange.target).toBe("/login?token=***&%74oken=***&x=1");
    const headers = new Map(exchange.request_headers.map(([name, value]) => [name.toLowerCase(), value]));
    expect(headers.get("authorization")).toBe("Bearer ***");
    expect(headers.get("cookie")).toBe("a=***; b=***");
    expect(headers.get("referer")).toBe(`https://${APP}/?password=***`);
    expect(exchange.response_headers).toContainEqual(["Set-Cookie", "sid=***; Path=/; HttpOnly"]);
  });

  test("a circle", async () => {
    await client.request({ host: APP, path: "/circle", headers: ["Linkup-Hops", "16"] });
    expect(await over("/circle")).toMatchObject({ status: 508, failure: "loop" });
  });

  test("a service that is not there", async () => {
    const gone = { location: "http://127.0.0.1:1" };
    await putSession(system, { services: gone });
    await client.request({ host: APP, path: "/gone" });
    const exchange = await over("/gone");
    expect(exchange).toMatchObject({
      status: 502,
      failure: "service-unreachable",
      service: "app",
      at: "local",
      url: "http://127.0.0.1:1/gone",
      state: "broken",
      broken: { by: "service", reason: expect.stringContaining("ECONNREFUSED") },
    });
  });

  test("a service that breaks off in its answer", async () => {
    system.wild.script = (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
      setTimeout(() => socket.destroy(), 20);
    };
    await client.send({ host: WILD, path: "/half" }).result.catch(() => {});
    expect(await over("/half")).toMatchObject({
      status: 200,
      state: "broken",
      response_bytes: 4,
      broken: { by: "service" },
    });
  });

  test("a client that goes away, before the answer and in it", async () => {
    system.wild.script = () => {};
    const early = client.send({ host: WILD, path: "/early" });
    await until(() => system.wild.open > 0, "the service is asked");
    early.abort();
    expect(await over("/early")).toMatchObject({ status: null, state: "broken", broken: { by: "client" } });

    system.wild.script = (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    const late = client.send({ host: WILD, path: "/late" });
    await new Promise<void>((resolve) => {
      late.onData(() => resolve());
      late.result.catch(() => {});
    });
    late.abort();
    expect(await over("/late")).toMatchObject({ status: 200, state: "broken", broken: { by: "client" } });
  });

  test("a kept connection needs no time to connect", async () => {
    await putSession(system);
    await client.request({ host: APP, path: "/first" });
    await client.request({ host: APP, path: "/second" });
    expect((await over("/second")).timings.connect).toBeNull();
  });

  test("an exchange under way is there as well", async () => {
    let answer = () => {};
    system.wild.script = (socket) => {
      answer = () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    };
    const sent = client.send({ host: WILD, path: "/slow" });
    await until(async () => (await list("?path=/slow")).at(-1)?.state === "open", "it is under way");
    const open = (await list("?path=/slow")).at(-1)!;
    expect(open).toMatchObject({ service: "wild", status: null, timings: { first_byte: null, total: null } });
    answer();
    await sent.result;
    expect(await over("/slow")).toMatchObject({ id: open.id, state: "complete", status: 200 });
  });

  test("bodies, when they are asked for", async () => {
    const settings = (body_bytes: unknown) =>
      system.server.control("PUT", "/v1/requests/settings", { body_bytes });
    const post = (path: string, body: string | Buffer) =>
      client.request({ host: APP, method: "POST", path, body });
    await post("/bodies/none", "hello");
    expect(await over("/bodies/none")).toMatchObject({ request_body: null, response_body: null });
    expect((await settings(8)).status).toBe(200);
    await post("/bodies/text", "hello");
    const text = await over("/bodies/text");
    expect(text).toMatchObject({ request_body: { text: "hello", cut: false }, response_body: { cut: true } });
    await post("/bodies/cut", "1234567€");
    expect((await over("/bodies/cut")).request_body).toEqual({ text: "1234567", cut: true });
    await post("/bodies/bytes", Buffer.from([0, 255, 1]));
    expect((await over("/bodies/bytes")).request_body).toEqual({ base64: "AP8B", cut: false });
    for (const wrong of [-1, 65_537, "1", 1.5]) expect((await settings(wrong)).status).toBe(400);
    await settings(0);
  });

  test("nothing while it does not record", async () => {
    const settings = (settings: unknown) => system.server.control("PUT", "/v1/requests/settings", settings);
    await system.server.control("DELETE", "/v1/requests");
    await client.request({ host: APP, path: "/recorded/before" });
    expect((await settings({ recording: false })).status).toBe(200);
    expect((await system.server.control("GET", "/v1/requests/settings")).body).toEqual({
      recording: false,
      body_bytes: 0,
    });
    expect((await client.request({ host: APP, path: "/recorded/not" })).status).toBe(200);
    expect((await settings({ recording: "yes" })).status).toBe(400);
    await settings({ recording: true });
    await client.request({ host: APP, path: "/recorded/again" });
    await over("/recorded/again");
    expect((await list("?path=/recorded/")).map(({ url }) => new URL(url!).pathname)).toEqual([
      "/recorded/before",
      "/recorded/again",
    ]);
  });
});

test("a request without a session: what was missing, and who likely sent it", async () => {
  const { status } = await connectHttp1(system).request({
    host: "localhost:9080",
    path: "/none",
    headers: [
      ...["User-Agent", "node", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"],
      ...["Referer", "https://fat-toad.example.com/x"],
    ],
  });
  expect(status).toBe(422);
  const exchange = await over("/none");
  expect(exchange).toMatchObject({
    status: 422,
    failure: "unknown-session",
    session: null,
    at: null,
    url: null,
  });
  expect(exchange.sender).toBe(
    "a page of https://fat-toad.example.com (node); it propagates traceparent, but not tracestate",
  );
  expect(exchange.looked_at).toEqual([
    { source: "host", value: "localhost:9080" },
    { source: "x-forwarded-host", value: null },
    { source: "referer", value: "https://fat-toad.example.com/x" },
    { source: "origin", value: null },
    { source: "tracestate", value: null },
    { source: "cookie", value: null },
  ]);
  expect(exchange.explanation).toMatchObject({
    candidates: [{ name: "fat-toad", source: "referer", known: false }],
    session: null,
    decision: null,
  });
});

test.each([
  ["no target", "other.org", 404, "no-target"],
  ["a foreign host", "evil.example", 421, "misdirected"],
])("%s", async (_what, host, status, failure) => {
  const path = `/${failure}`;
  const headers = status === 404 ? ["Tracestate", `linkup-session=${SESSION}`] : ["X-Forwarded-Host", APP];
  await connectHttp1(system).request({ host, path, headers });
  const exchange = await over(path);
  expect(exchange).toMatchObject({ status, failure, session: SESSION, service: null, at: null, url: null });
  expect(exchange.explanation.decision?.outcome).toBe(status === 404 ? "no-target" : "routed");
  expect(exchange.response_bytes).toBeGreaterThan(0);
  expect(exchange.response_headers).toContainEqual(["linkup-error", failure]);
});

describe.each([
  ["ws", () => new WebSocket(`ws://127.0.0.1:${system.port}/live`, { headers: { host: APP } })],
  [
    "wss",
    () =>
      new WebSocket(`wss://127.0.0.1:${system.port}/live`, {
        headers: { host: APP },
        servername: APP,
        ca: system.ca,
      } as ClientOptions),
  ],
  ["WebSocket over HTTP/2 (RFC 8441)", () => webSocketOverHttp2(system)],
])("%s", (_name, open) => {
  test("frames each way and the close codes are told, while it is open and after", async () => {
    sockets.on("connection", (socket) => {
      socket.on("message", (data, binary) => {
        for (let i = 0; i < 2; i++) socket.send(data, { binary });
      });
    });
    const socket = open();
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    let back = 0;
    socket.on("message", () => back++);
    for (const size of [0, 10, 126, 65_535, 70_000]) socket.send(Buffer.alloc(size));
    await until(() => back === 10, "all is back");
    const now = (await list("?path=/live")).at(-1)!;
    expect(now).toMatchObject({
      state: "open",
      status: 101,
      websocket: { client_frames: 5, service_frames: 10 },
    });
    expect(now.request_bytes).toBeGreaterThan(135_671);
    socket.close(4001, "done");
    expect(await over("/live")).toMatchObject({
      state: "complete",
      websocket: { client_frames: 6, client_close: 4001 },
    });
  });

  test("what the service closes with", async () => {
    sockets.on("connection", (socket) => socket.close(4002, "so long"));
    const socket = open();
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("close", resolve));
    expect(await over("/live")).toMatchObject({
      state: "complete",
      websocket: { service_frames: 1, service_close: 4002 },
    });
  });

  test("a side that vanishes is told", async () => {
    const accepted = new Promise<WebSocket>((resolve) => sockets.once("connection", resolve));
    const socket = open();
    socket.on("error", () => {});
    (await accepted).terminate();
    expect(await over("/live")).toMatchObject({ state: "broken", broken: { by: "service" } });
  });
});

test("server-sent events are counted, while they come and after", async () => {
  const sent = Promise.withResolvers<void>();
  system.app.handler = async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n: a comment\n\nid: 2\ndata: 2\n\ndata: 3");
    await sent.promise;
    response.end("\n\n");
  };
  const client = connectHttp1(system);
  const answer = client.request({ host: APP, path: "/events" });
  await until(async () => (await list("?path=/events")).at(-1)?.events === 2, "two events are counted");
  expect((await list("?path=/events")).at(-1)).toMatchObject({ state: "open", websocket: null });
  sent.resolve();
  await answer;
  expect(await over("/events")).toMatchObject({ state: "complete", events: 3 });
  client.close();
});

test("what comes through the tunnel, with and without the secret", async () => {
  await putSession(system, { originSecret: "sesame-open-now" });
  const ask = (path: string, secret: string) =>
    raw(
      system.server.status.tunnel_port,
      `GET ${path} HTTP/1.1\r\nHost: tunnel.example.net\r\nX-Forwarded-Host: ${APP}\r\n` +
        `Linkup-Origin-Secret: ${secret}\r\nConnection: close\r\n\r\n`,
    );
  await ask("/in", "sesame-open-now");
  await ask("/out", "sesame-open-nor");
  const inside = await over("/in");
  expect(inside).toMatchObject({
    listener: "tunnel",
    host: "tunnel.example.net",
    client_host: APP,
    status: 200,
    session: SESSION,
  });
  expect((await over(`${APP}/in`))?.id).toBe(inside.id);
  expect((await over("tunnel.example.net/in"))?.id).toBe(inside.id);
  const outside = await over("/out");
  expect(outside).toMatchObject({ status: 403, failure: "forbidden", session: SESSION, service: null });
  expect(JSON.stringify([inside, outside])).not.toContain("sesame");
});

test("a request that has two hosts", async () => {
  await raw(system.port, `GET /twice HTTP/1.1\r\nHost: ${APP}\r\nHost: b\r\nConnection: close\r\n\r\n`);
  expect(await over("/twice")).toMatchObject({ status: 400, failure: "bad-request", session: null });
  const client = connectHttp2(system);
  const { status } = await client.request({ host: APP, path: "/differ", headers: ["host", "b.example"] });
  client.close();
  expect(status).toBe(400);
  expect(await over("/differ")).toMatchObject({
    status: 400,
    failure: "bad-request",
    session: null,
    protocol: "HTTP/2",
  });
});

describe("the list", () => {
  let client: TestClient;
  beforeEach(async () => {
    client = connectHttp1(system);
    await system.server.control("DELETE", "/v1/requests");
  });

  test("is filtered, by what it shows", async () => {
    await client.request({ host: APP, path: "/one" });
    await client.request({ host: APP, path: "/two", method: "POST", body: "x" });
    await client.request({ host: "localhost", path: "/three" });
    await over("/three");
    const paths = async (query: string) => (await list(query)).map(({ target }) => target);
    expect(await paths("")).toEqual(["/one", "/two", "/three"]);
    expect(await paths("?limit=2")).toEqual(["/two", "/three"]);
    expect(await paths("?failed=true")).toEqual(["/three"]);
    expect(await paths("?failed=false")).toEqual(["/one", "/two"]);
    expect(await paths("?status=422")).toEqual(["/three"]);
    expect(await paths("?method=post")).toEqual(["/two"]);
    expect(await paths(`?session=${SESSION}&service=app&path=wo`)).toEqual(["/two"]);
    expect(await paths("?service=wild")).toEqual([]);
    const [first] = await list();
    expect(await paths(`?after=${first!.id}`)).toEqual(["/two", "/three"]);
    expect((await system.server.control("GET", "/v1/requests?limit=many")).status).toBe(400);
    expect((await system.server.control("GET", "/v1/requests/0")).status).toBe(404);
  });

  test("ends with a thousand, and with what their heads fill", async () => {
    for (let i = 0; i < 1_050; i += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, n) => client.request({ host: APP, path: `/many/${i + n}` })),
      );
    await until(async () => (await list("?limit=2000&path=/many/")).length === 1_000, "a thousand are left");
    const large = "x".repeat(60_000);
    for (let i = 0; i < 100; i++)
      await client.request({ host: APP, path: `/large/${i}`, headers: ["X-Large", `${large}${i}`] });
    await over("/large/99");
    const left = await list("?limit=2000");
    expect(left.length).toBeLessThan(100);
    expect(left.at(-1)!.target).toBe("/large/99");
    const [oldest] = left;
    expect((await details(oldest!.id)).request_headers).toContainEqual([
      "X-Large",
      large + oldest!.target.slice("/large/".length),
    ]);
  });
});

test("followed: each when it begins and when it ends, by id", async () => {
  const client = connectHttp1(system);
  await client.request({ host: APP, path: "/followed/before" });
  await over("/followed/before");
  const lines: FollowedExchange[] = [];
  const call = httpRequest({
    socketPath: controlAddress(system.server.home),
    path: "/v1/requests/follow?limit=1&path=/followed/",
  });
  call.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const whole = text.split("\n");
      text = whole.pop()!;
      lines.push(...whole.map((line) => JSON.parse(line)));
    });
    response.on("error", () => {});
  });
  call.on("error", () => {});
  call.end();
  await until(() => lines.length === 1, "the last one is told");
  await client.request({ host: APP, path: "/followed/after" });
  await client.request({ host: APP, path: "/elsewhere" });
  await client.request({ host: "localhost", path: "/followed/none" });
  await until(() => lines.length === 5, "all are told");
  expect(lines).toMatchObject([
    { target: "/followed/before", state: "complete" },
    { target: "/followed/after", state: "open", service: "app" },
    { target: "/followed/after", state: "complete", status: 200 },
    { target: "/followed/none", state: "open" },
    { target: "/followed/none", state: "complete", status: 422 },
  ]);
  const [, began, ended] = lines as Exchange[];
  expect(ended!.id).toBe(began!.id);
  call.destroy();
});

test("a follower who does not read is told what he missed, and holds nothing up", async () => {
  const client = connectHttp1(system);
  const slow = connectSocket(controlAddress(system.server.home));
  let received = "";
  slow.setEncoding("utf8").on("data", (chunk: string) => {
    received += chunk;
  });
  slow.write("GET /v1/requests/follow?limit=0&path=/flood HTTP/1.1\r\nHost: x\r\n\r\n");
  await until(() => received.includes("200 OK"), "it is followed");
  slow.pause();
  const long = "y".repeat(2_000);
  for (let i = 0; i < 1_000; i += 50)
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => client.request({ host: APP, path: `/flood/${i + n}/${long}` })),
    );
  slow.resume();
  await until(() => /\{"missed":[1-9]\d*\}/.test(received), "it is told");
  slow.destroy();
});
