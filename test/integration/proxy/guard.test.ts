/** Who gets an answer, and who does not. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectHttp1, raw, rawSocket, type TestClient } from "./clients.ts";
import { APP, type ProxiedRequest, putSession, SESSION, type System, startSystem, until } from "./system.ts";

let system: System;
let client: TestClient;
beforeAll(async () => {
  system = await startSystem();
  client = connectHttp1(system);
});
afterAll(() => system.stop());

const tracestate = ["Tracestate", `linkup-session=${SESSION}`];
const ask = (host: string, headers: string[] = []) => client.request({ host, headers });

describe("the browser listener", () => {
  test.each([
    ["the session's host", APP, []],
    ["another case and a port", "SLIM-Gecko.Example.COM:9080", []],
    ["a domain, by tracestate", "example.com", tracestate],
    ["a domain, by Referer", "example.com", ["Referer", `https://${APP}/page`]],
    ["a domain, by Origin", "example.com", ["Origin", `https://${APP}`]],
    ["this machine, by x-forwarded-host", "127.0.0.1:9080", ["X-Forwarded-Host", APP]],
    ["this machine by name", "localhost:9080", ["X-Forwarded-Host", APP]],
    ["this machine by IPv6", "[::1]:9080", ["X-Forwarded-Host", APP]],
  ])("serves %s", async (_what, host, headers) => {
    expect((await ask(host, headers)).status).toBe(200);
  });

  test.each([
    ["x-forwarded-host", ["X-Forwarded-Host", APP]],
    ["Referer", ["Referer", `http://${APP}/`]],
    ["Origin", ["Origin", `http://${APP}`]],
  ])("refuses a foreign host name that leads to this machine, whatever %s says", async (_what, headers) => {
    const { status, get, body } = await ask("evil.example:9080", headers);
    expect(status).toBe(421);
    expect(get("linkup-error")).toBe("misdirected");
    expect(get("access-control-allow-origin")).toBeUndefined();
    expect(body.toString()).toContain('"evil.example:9080"');
  });

  test("refuses it too when linkup-destination names a service, which counts from an earlier hop only", async () => {
    const { status, get } = await ask("evil.example:9080", [...tracestate, "Linkup-Destination", "app"]);
    expect([status, get("linkup-error")]).toEqual([404, "no-target"]);
    expect(get("access-control-allow-origin")).toBeUndefined();
  });

  test("a host that only ends like a domain is a foreign one", async () => {
    expect((await ask("evilexample.com", ["X-Forwarded-Host", APP])).status).toBe(421);
  });

  test("no session: 422 with what to add, never stored", async () => {
    const { status, get, body } = await ask("localhost:9080");
    expect(status).toBe(422);
    expect(get("cache-control")).toBe("no-store");
    expect(get("content-type")).toMatch(/^text\/plain/);
    expect(body.toString()).toMatch(/^Linkup was unable to determine the session origin of the request\./);
  });

  test("no domain of the session: 404", async () => {
    const { status, body } = await ask("elsewhere.test", tracestate);
    expect(status).toBe(404);
    expect(body.toString()).toMatch(
      /^The request belonged to a session, but there was no target for the request\./,
    );
  });

  test.runIf(process.platform === "linux")("listens on loopback alone", () => {
    const port = system.port.toString(16).toUpperCase().padStart(4, "0");
    const addresses = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
      readFileSync(file, "utf8")
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .filter(([, local, , state]) => state === "0A" && local?.endsWith(`:${port}`))
        .map(([, local]) => local!.split(":")[0]),
    );
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses)
      expect(["0100007F", "00000000000000000000000001000000"]).toContain(address);
  });
});

describe("the tunnel listener", () => {
  const through = (headers: string) =>
    raw(
      system.server.status.tunnel_port,
      `GET /path HTTP/1.1\r\nHost: tunnel-abc.tunnels.test\r\nConnection: close\r\nX-Forwarded-Host: ${APP}\r\n${headers}\r\n`,
    );
  beforeAll(() => putSession(system, { originSecret: "sesame" }));
  afterAll(() => putSession(system));

  test("serves with the session's secret, which the service never sees", async () => {
    const answer = await through("Linkup-Origin-Secret: sesame\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(answer).not.toContain("sesame");
  });

  test.each([
    ["without it", ""],
    ["with a wrong one", "Linkup-Origin-Secret: sesam\r\n"],
    ["with an empty one", "Linkup-Origin-Secret:\r\n"],
    ["with it twice", "Linkup-Origin-Secret: sesame\r\nLinkup-Origin-Secret: sesame\r\n"],
  ])("refuses %s", async (_what, headers) => {
    const answer = await through(headers);
    expect(answer).toMatch(/^HTTP\/1\.1 403/);
    expect(answer).not.toContain("sesame");
  });

  test("refuses a WebSocket without it", async () => {
    const answer = await through(
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403/);
  });

  test("the browser listener takes the secret from nobody, and passes it to nobody", async () => {
    const { body } = await ask(APP, ["Linkup-Origin-Secret", "sesame"]);
    expect(body.toString()).not.toContain("sesame");
  });

  test("serves without a secret when the Worker mints none", async () => {
    await putSession(system);
    expect(await through("")).toMatch(/^HTTP\/1\.1 200/);
    await putSession(system, { originSecret: "sesame" });
  });
});

describe("limits", () => {
  test("a location that leads back here is cut off", async () => {
    await putSession(system, { services: { location: `http://localhost:${system.port}` } });
    const { status, body, get } = await ask(APP);
    await putSession(system);
    expect(status).toBe(508);
    expect(get("linkup-error")).toBe("loop");
    expect(body.toString()).toContain("This request has passed Linkup 16 times");
  });

  test("a head that never ends is cut off, while others are served", { timeout: 60_000 }, async () => {
    const slow = Array.from({ length: 20 }, () => rawSocket(system.port));
    let closed = 0;
    for (const socket of slow) {
      socket.once("close", () => closed++);
      socket.once("end", () => socket.end());
      socket.write(`GET / HTTP/1.1\r\nHost: ${APP}\r\n`);
    }
    const drip = setInterval(() => {
      for (const socket of slow) if (socket.writable) socket.write("X-Drip: 1\r\n");
    }, 500);
    expect((await ask(APP)).status).toBe(200);
    await until(() => closed === slow.length, "every slow client was cut off");
    clearInterval(drip);
    for (const socket of slow) expect(socket.received()).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });

  test("a client that says nothing is cut off", { timeout: 60_000 }, async () => {
    const socket = rawSocket(system.port);
    await new Promise((resolve) => socket.once("close", resolve).once("end", () => socket.end()));
    expect(socket.received()).toBe("");
  });

  test("a flood of connections is bounded, and does not end the server", { timeout: 60_000 }, async () => {
    const flood = Array.from({ length: 2_200 }, () => rawSocket(system.port));
    let refused = 0;
    for (const socket of flood) socket.once("end", () => socket.end()).once("close", () => refused++);
    await until(() => refused >= 200, "those beyond the bound were refused");
    for (const socket of flood) socket.destroy();
    await until(
      () =>
        ask(APP).then(
          ({ status }) => status === 200,
          () => false,
        ),
      "it serves again",
    );
  });
});

test("what a service sees of TLS", async () => {
  const seen = async (answer: Promise<{ body: Buffer }>) =>
    JSON.parse((await answer).body.toString()) as ProxiedRequest;
  const { connectHttp2 } = await import("./clients.ts");
  const secure = connectHttp2(system);
  expect((await seen(secure.request({ host: APP }))).headers["x-forwarded-proto"]).toBe("https");
  secure.close();
  expect((await seen(ask(APP))).headers["x-forwarded-proto"]).toBe("http");
});
