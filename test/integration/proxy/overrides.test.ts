/** Overrides at the local server: other copies, fixed responses, faults, and requests that go on to the other copy. */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { reservedPort } from "../../support/ports.ts";
import { connectHttp1, protocols, type Result, type TestClient } from "./clients.ts";
import { APP, putSession, type System, startSystem } from "./system.ts";

let system: System;
let client: TestClient;
/** Another copy of the service. */
let other: Server;
let otherUrl: string;
/** Requests that came to it. */
let begun = 0;
beforeAll(async () => {
  system = await startSystem();
  client = connectHttp1(system);
  other = createServer(async (request, response) => {
    begun++;
    const chunks: Buffer[] = [];
    for await (const chunk of request as IncomingMessage) chunks.push(chunk as Buffer);
    response.end(`other ${request.method} ${request.url} ${Buffer.concat(chunks).length}`);
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
});
afterEach(() => {
  system.app.handler = undefined;
});
afterAll(async () => {
  other.close();
  await system.stop();
});

const overriding = (
  overrides: Record<string, unknown>[],
  actions: Record<string, unknown> = {},
  config_path: string | null = null,
) => putSession(system, { session: { overrides }, served: { override_actions: actions, config_path } });
const ask = (path: string, headers: string[] = [], method = "GET") =>
  client.request({ host: APP, path, headers, method });
const header = (result: Result, name: string) => result.get(name);

describe("other copies", () => {
  test("only what matches goes there, and its response and log row say so", async () => {
    await overriding([{ name: "pay", service: "app", path: "^/pay", methods: ["POST"], location: otherUrl }]);
    const matched = await ask("/pay/1", [], "POST");
    expect(matched.body.toString()).toBe("other POST /pay/1 0");
    expect(header(matched, "linkup-override")).toBe("pay");
    const passed = await ask("/pay/1", ["linkup-override", "pay"]);
    expect(header(passed, "linkup-override")).toBeUndefined();
    expect(JSON.parse(passed.body.toString()).headers).not.toHaveProperty("linkup-override");
    const explained = async (method?: string) => {
      const url = `http://${APP}/pay/1`;
      const { body } = await system.server.control("POST", "/v1/explain", { url, method });
      return (body as { decision: { override?: string } }).decision.override;
    };
    expect([await explained("POST"), await explained()]).toEqual(["pay", undefined]);
    const { body } = await system.server.control("GET", "/v1/requests?limit=2");
    const { requests } = body as { requests: { override: string | null; url: string }[] };
    expect(requests.map(({ override }) => override).sort()).toEqual([null, "pay"].sort());
  });
});

describe("fixed responses", () => {
  test("status, headers and body, also across origins of the session and to HEAD", async () => {
    await overriding([{ name: "down", path: "^/pay", does: "respond" }], {
      down: {
        respond: {
          status: 503,
          headers: { "x-mock": "č→é", "content-length": "9" },
          body: '{"paid": false}',
        },
      },
    });
    const answer = await ask("/pay", ["Origin", "http://slim-gecko.wild.example.com"]);
    expect(answer.status).toBe(503);
    expect(answer.body.toString()).toBe('{"paid": false}');
    expect(header(answer, "content-type")).toBe("application/json");
    expect(Buffer.from(header(answer, "x-mock")!, "latin1").toString()).toBe("č→é");
    expect(header(answer, "linkup-override")).toBe("down");
    expect(header(answer, "access-control-allow-origin")).toBe("http://slim-gecko.wild.example.com");
    const head = await ask("/pay", [], "HEAD");
    expect([head.status, head.body.length]).toEqual([503, 0]);
    expect(header(head, "content-type")).toBe("application/json");
  });

  test("from a file beside linkup.yaml, and from no other", async () => {
    const outside = mkdtempSync(join(tmpdir(), "linkup-outside-"));
    const folder = mkdtempSync(join(tmpdir(), "linkup-beside-"));
    writeFileSync(join(outside, "secret"), "secret");
    mkdirSync(join(folder, "mocks"));
    writeFileSync(join(folder, "mocks", "pay.json"), "{}");
    writeFileSync(join(folder, ".env"), "TOKEN=secret");
    symlinkSync(join(outside, "secret"), join(folder, "link"));
    symlinkSync(outside, join(folder, "mocks", "out"));
    writeFileSync(join(folder, "large"), Buffer.alloc(10 * 1024 * 1024 + 1));
    const files = [
      "mocks/pay.json",
      "link",
      "mocks/out/secret",
      "../secret",
      "/etc/passwd",
      ".env",
      "mocks",
      "large",
      "none",
    ];
    await overriding(
      files.map((_, i) => ({ name: `f${i}`, path: `^/${i}$`, does: "respond" })),
      Object.fromEntries(files.map((file, i) => [`f${i}`, { respond: { file } }])),
      join(folder, "linkup.yaml"),
    );
    const statuses: [string, number][] = [];
    for (const [i, file] of files.entries()) {
      const answer = await ask(`/${i}`);
      expect(answer.body.toString()).not.toContain("secret\n");
      expect(answer.body.toString()).not.toMatch(/^secret|TOKEN|root:/);
      statuses.push([file, answer.status]);
    }
    expect(statuses).toEqual(files.map((file, i) => [file, i === 0 ? 200 : 502]));
    expect((await ask("/0")).body.toString()).toBe("{}");
  });
});

describe("faults", () => {
  test("a status, a broken connection, a delay, and none where the share is missed", async () => {
    await overriding(
      ["status", "abort", "delay", "rare"].map((name) => ({
        name,
        path: `^/${name}`,
        does: "fault",
        ...(name === "rare" ? { location: otherUrl } : {}),
      })),
      {
        status: { fault: { status: 500 } },
        abort: { fault: { abort: true } },
        delay: { fault: { delay_ms: 150 } },
        rare: { fault: { status: 500, share: 1e-9 } },
      },
    );
    expect((await ask("/status")).status).toBe(500);
    await expect(ask("/abort")).rejects.toThrow();
    const begun = performance.now();
    expect((await ask("/delay")).status).toBe(200);
    expect(performance.now() - begun).toBeGreaterThan(140);
    const rare = await ask("/rare");
    expect([rare.status, header(rare, "linkup-override")]).toEqual([200, undefined]);
    expect(JSON.parse(rare.body.toString())).toMatchObject({ url: "/rare" });
    const { body } = await system.server.control("GET", "/v1/requests?path=/rare");
    expect(body).toMatchObject({ requests: [{ override: null, status: 200 }] });
  });

  test.each([
    { fault: { delay_ms: 10_000_000 } },
    { fault: { delay_ms: -1 } },
    { fault: { share: 2 } },
    { respond: { status: 101 } },
    { respond: { headers: { "x\r\ny": "1" } } },
    { respond: { headers: { x: "a\r\nb: c" } } },
    { respond: 1 },
  ])("beyond their limits they are refused: %j", async (action) => {
    await expect(overriding([{ name: "a", does: "fault" }], { a: action })).rejects.toThrow(
      "override_actions",
    );
  });
});

describe("fall-through", () => {
  const put = (location?: string) =>
    putSession(system, { services: { fallthrough: otherUrl, ...(location ? { location } : {}) } });
  const notFound = () => {
    system.app.handler = (request, response) => {
      request.resume().on("end", () => response.writeHead(404).end("mine"));
    };
  };

  test("404 of the local copy", async () => {
    await put();
    notFound();
    const answer = await ask("/x");
    expect([answer.status, answer.body.toString()]).toEqual([200, "other GET /x 0"]);
    expect(header(answer, "linkup-fallback")).toBe("local-not-found");
  });

  test("a body is sent again, unless it was too large, which is said", async () => {
    await put();
    notFound();
    const send = (length: number) =>
      client.request({
        host: APP,
        path: "/x",
        method: "POST",
        body: Buffer.alloc(length, 1),
      });
    const small = await send(100_000);
    expect(small.body.toString()).toBe("other POST /x 100000");
    const large = await send(2_000_000);
    expect([large.status, large.body.toString(), header(large, "linkup-fallback")]).toEqual([
      404,
      "mine",
      "body-not-kept",
    ]);
  });

  test.each(protocols)("the rest of a body that is still coming goes there too, %s", async (_, connect) => {
    const client = connect(system);
    onTestFinished(() => client.close());
    await put();
    // As frameworks do where no route is found: without reading the body.
    system.app.handler = (_, response) => response.writeHead(404).end("mine");
    begun = 0;
    const sent = client.send({ host: APP, path: "/x", method: "POST", streaming: true });
    const piece = Buffer.alloc(50_000, 1);
    sent.body.write(piece);
    await expect.poll(() => begun).toBe(1);
    for (let i = 0; i < 40; i++) sent.body.write(piece);
    sent.body.end();
    const answer = await sent.result;
    expect([answer.body.toString(), header(answer, "linkup-fallback")]).toEqual([
      "other POST /x 2050000",
      "local-not-found",
    ]);
  });

  test("a WebSocket, and bytes of any number where the connection is refused", async () => {
    const sockets = new WebSocketServer({ server: other });
    sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`other ${data}`)));
    const echo = () => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const socket = new WebSocket(`ws://127.0.0.1:${system.port}/nowhere`, { headers: { host: APP } });
      socket.on("open", () => socket.send("hello"));
      socket.on("message", (data) => resolve(String(data)));
      socket.on("error", reject);
      return promise.finally(() => socket.terminate());
    };
    system.wild.script = (socket) => socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    await put(`http://localhost:${system.wild.port}`);
    expect(await echo()).toBe("other hello");
    await put(`http://localhost:${await reservedPort()}`);
    expect(await echo()).toBe("other hello");
    sockets.close();
    const large = await client.request({
      host: APP,
      path: "/x",
      method: "POST",
      body: Buffer.alloc(3_000_000, 1),
    });
    expect([large.body.toString(), header(large, "linkup-fallback")]).toEqual([
      "other POST /x 3000000",
      "local-refused",
    ]);
  });

  test("a refused connection, and no other status", async () => {
    await put(`http://localhost:${await reservedPort()}`);
    const answer = await ask("/x");
    expect([answer.body.toString(), header(answer, "linkup-fallback")]).toEqual([
      "other GET /x 0",
      "local-refused",
    ]);
    await put();
    system.app.handler = (_, response) => response.writeHead(500).end("mine");
    const failed = await ask("/x");
    expect([failed.status, header(failed, "linkup-fallback")]).toEqual([500, undefined]);
  });

  test("only where it is asked for", async () => {
    await putSession(system);
    notFound();
    expect((await ask("/x")).status).toBe(404);
  });
});
