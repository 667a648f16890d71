/** What a stranger at the proxy, or another program of this user, tries with the local server. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { localServerBundle, newHome, startLocalServer } from "../integration/local-server/harness.ts";
import { connectHttp1, connectHttp2, type TestClient } from "../integration/proxy/clients.ts";
import {
  APP,
  type ProxiedRequest,
  SESSION,
  type System,
  startSystem,
  until,
} from "../integration/proxy/system.ts";

let system: System;
let client: TestClient;
beforeAll(async () => {
  system = await startSystem({ originSecret: "secret-of-this-session" });
  client = connectHttp1(system);
});
afterAll(() => system.stop());

const seen = async (headers: string[], host = APP): Promise<ProxiedRequest["headers"]> => {
  const { body, status } = await client.request({ host, headers });
  expect(status).toBe(200);
  return (JSON.parse(body.toString()) as ProxiedRequest).headers;
};

describe("headers of a stranger", () => {
  test("linkup-destination from outside reaches no service without a route", async () => {
    const headers = ["Linkup-Destination", "wild"];
    expect((await seen(headers))["linkup-destination"]).toBe("app");
    const forged = [...headers, "Linkup-Destination-Proof", "0".repeat(64)];
    const { "linkup-destination": destination, "linkup-destination-proof": proof } = await seen(forged);
    expect([destination, proof]).toEqual(["app", undefined]);
    const asked = { url: `http://${APP}/`, headers: { "linkup-destination": "wild" } };
    const { body } = await system.server.control("POST", "/v1/explain", asked);
    expect(body).toMatchObject({ decision: { service: { name: "app" } } });
  });

  test("x-forwarded-host: evil.com is not shown to services", async () => {
    expect(await seen(["X-Forwarded-Host", "evil.com"])).toMatchObject({ "x-forwarded-host": APP });
    expect(await seen(["X-Forwarded-Host", `evil.com, ${APP}`])).toMatchObject({ "x-forwarded-host": APP });
  });

  test.each([
    ["a page without TLS of a session with TLS", `http://${APP}`],
    ["a page at another port", `https://${APP}:6666`],
    ["a browser extension", `chrome-extension://${APP}`],
    ["a page of another site", "https://evil.example"],
    ["a sandboxed page", "null"],
  ])("%s reads nothing with credentials", async (_what, origin) => {
    const secure = connectHttp2(system);
    const { get } = await secure.request({ host: APP, headers: ["Origin", origin] });
    secure.close();
    expect(get("access-control-allow-origin")).toBeUndefined();
    expect(get("access-control-allow-credentials")).toBeUndefined();
  });

  test.each(["-Infinity", "-1000", "1e9", "0x10", "NaN", "9999"])(
    "linkup-hops: %s ends at once",
    async (hops) => {
      const { status } = await client.request({ host: APP, headers: ["Linkup-Hops", hops] });
      expect(status).toBe(508);
    },
  );

  test("a session cookie of Linkup is not shown to services", async () => {
    expect((await seen(["Cookie", `a=1; linkup-session=${SESSION}`])).cookie).toBe("a=1");
  });
});

test("secrets under unusual names are in no answer of the request log", async () => {
  const { control } = system.server;
  await control("PUT", "/v1/requests/settings", { body_bytes: 10_000 });
  const secret = "zQ9-not-to-be-shown";
  const headers = ["X-Cookie", "X-Forwarded-Cookie", "X-Session", "X-User-Session", "X-MS-Client-Principal"];
  const query = ["creds", "tok", "cvv", "card", "state"].map((name) => `${name}=${secret}`).join("&");
  const json = encodeURIComponent(JSON.stringify({ token: secret }));
  system.app.handler = (_request, response) =>
    response.end(
      JSON.stringify({ "x-session": secret, a: JSON.stringify({ b: JSON.stringify({ pin: secret }) }) }),
    );
  await client.request({
    host: APP,
    method: "POST",
    path: `/reset-password/${secret}/sk_live_${secret}?${query}&q=${json}`,
    headers: headers.flatMap((name) => [name, `a=${secret}`]),
    body: JSON.stringify({ "Set-Cookie": secret, inner: JSON.stringify({ password: secret }) }),
  });
  const list = async () => (await control("GET", "/v1/requests?path=/reset-password/")).body as unknown;
  await until(async () => JSON.stringify(await list()).includes('"complete"'), "the exchange is complete");
  const { requests } = (await list()) as { requests: { id: number }[] };
  const details = (await control("GET", `/v1/requests/${requests[0]!.id}`)).body;
  await control("PUT", "/v1/requests/settings", { body_bytes: 0 });
  system.app.handler = undefined;
  expect(JSON.stringify(details)).toContain("/reset-password/***");
  expect(JSON.stringify([requests, details])).not.toContain(secret);
});

test("2,100 idle connections do not shut the listener", { timeout: 60_000 }, async () => {
  const idle = Array.from({ length: 2_100 }, () => {
    const socket = connect(system.port, "127.0.0.1");
    return socket.on("error", () => {});
  });
  await Promise.all(idle.map((socket) => once(socket, "connect").catch(() => {})));
  const before = performance.now();
  expect((await client.request({ host: APP })).status).toBe(200);
  expect(performance.now() - before).toBeLessThan(5_000);
  for (const socket of idle) socket.destroy();
});

test("2,100 idle keep-alive connections do not shut the listener", { timeout: 60_000 }, async () => {
  const request = `GET / HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n`;
  const idle = await Promise.all(
    Array.from({ length: 2_100 }, async () => {
      const socket = connect(system.port, "127.0.0.1").on("error", () => {});
      socket.write(request);
      await Promise.race([once(socket, "data"), once(socket, "close")]).catch(() => {});
      return socket;
    }),
  );
  const before = performance.now();
  expect((await client.request({ host: APP })).status).toBe(200);
  expect(performance.now() - before).toBeLessThan(5_000);
  for (const socket of idle) socket.destroy();
});

test("a SIGTERM closes WebSockets with 1001, and requests in flight are completed", async () => {
  const own = await startSystem();
  const service = new WebSocketServer({ server: own.app.server });
  const atService = new Promise<number>((resolve) =>
    service.on("connection", (socket) => socket.on("close", resolve)),
  );
  const socket = new WebSocket(`ws://127.0.0.1:${own.port}/`, { headers: { host: APP } });
  const code = new Promise<number>((resolve) => socket.on("close", resolve));
  await once(socket, "open");
  let complete = () => {};
  own.app.handler = (_request, response) => {
    response.write("half");
    complete = () => response.end(" and whole");
  };
  const sent = connectHttp1(own).send({ host: APP });
  await sent.head;
  const ended = once(own.server.process, "exit");
  own.server.process.kill("SIGTERM");
  expect(await code).toBe(1001);
  expect(await atService).toBe(1001);
  complete();
  expect(await sent.result).toMatchObject({ complete: true, body: Buffer.from("half and whole") });
  await ended;
  await own.stop();
});

test("a foreign lease that has expired does not keep the server alive", { timeout: 90_000 }, async () => {
  const server = await startLocalServer();
  await server.control("PUT", "/v1/leases/foreign", { ttl_ms: 100 });
  await until(async () => {
    const { body } = await server.control("GET", "/v1/status");
    return (body as { leases: string[] }).leases.length === 0;
  }, "the lease has expired");
  if (server.process.exitCode === null) await once(server.process, "exit");
  expect(server.log()).toContain("no lease is left");
});

test.skipIf(process.platform === "win32")("a limit of 24 open files is named", async () => {
  const command = `ulimit -n 24 && exec "$0" "$1" --home "$2" --browser-port 0`;
  const args = ["-c", command, process.execPath, await localServerBundle(), newHome()];
  const child = spawn("/bin/sh", args, { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  const [code] = await once(child, "exit");
  expect(code).toBe(1);
  expect(text).toMatch(/cannot start: .*EMFILE.*raise the limit \(ulimit -n/);
});
