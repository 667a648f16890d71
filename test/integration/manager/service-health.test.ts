import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { HealthCheck } from "../../../core/config/model/config-model.ts";
import { ControlClient } from "../../../manager/components/local-server/control-client.ts";
import { checkAddresses } from "../../../manager/doctor/network-checks.ts";
import type { SessionView } from "../../../manager/model/snapshot.ts";
import { askDirectly, HealthBook, type SendProbe } from "../../../manager/reconcile/service-health.ts";
import { type RunningServer, startLocalServer } from "../local-server/harness.ts";
import { Http2Service } from "../proxy/http2-service.ts";

let service: Server;
/** Whether it answers. */
let awake: boolean;
beforeEach(async () => {
  awake = true;
  service = createServer((_, response) => {
    if (awake) response.end();
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
});
afterEach(() => {
  service.closeAllConnections();
  service.close();
});

const probed = () => ({
  location: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
  check: {},
});

test("one that gets too little time to answer is not known, and asked again", async () => {
  const book = new HealthBook();
  awake = false;
  await book.refresh([probed()], askDirectly, 20);
  expect(book.of(probed())).toMatchObject({ health: "unknown", reason: expect.stringContaining("20 ms") });
  expect(book.knows(probed())).toBe(false);
});

test("what was known of it stays", async () => {
  const book = new HealthBook();
  await book.refresh([probed()], askDirectly);
  awake = false;
  await book.refresh([probed()], askDirectly, 20);
  expect(book.of(probed())).toMatchObject({ health: "healthy", reason: undefined });
  await book.refresh([], askDirectly);
  expect(book.knows(probed())).toBe(false);
});

describe("a session's address that answers 530", () => {
  test.each([
    ["error code: 1033", "broken", "Cloudflare finds no tunnel"],
    ["<h1>Error 1033</h1>", "broken", "Cloudflare finds no tunnel"],
    ["the site is frozen", "ok", "It answers (530)"],
  ])("%s: %s", async (body, state, found) => {
    service.removeAllListeners("request");
    service.on("request", (_, response) => response.writeHead(530).end(body));
    const session = { state: "running", kind: "tunneled", urls: [probed().location] };
    const [check] = await checkAddresses([session as unknown as SessionView], undefined);
    expect(check).toMatchObject({ state, found: expect.stringContaining(found) });
  });
});

describe("through the local server, over the proxy's own connections", () => {
  let server: RunningServer;
  let book: HealthBook;
  const opened: { close(): void }[] = [];
  beforeAll(async () => {
    server = await startLocalServer();
    const control = new ControlClient(server.home);
    book = new HealthBook();
    ask = (probe) => control.probe(probe);
  });
  afterAll(() => server[Symbol.asyncDispose]());
  afterEach(() => {
    for (const each of opened.splice(0)) each.close();
  });
  let ask: SendProbe;

  const health = async (location: string, check: HealthCheck = {}) => {
    await book.refresh([{ location, check }], ask);
    return book.of({ location, check });
  };
  const answering = async (status: number, headers: Record<string, string>, body: string) => {
    const server = createServer((_, response) => response.writeHead(status, headers).end(body));
    opened.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  test("https with a self-signed certificate, as the proxy serves it", async () => {
    const secure = await Http2Service.start();
    opened.push(secure);
    expect(await health(`https://localhost:${secure.port}`)).toMatchObject({ health: "healthy" });
  });

  test("HTTP/2 without TLS; named when it is configured as http", async () => {
    const http2 = createHttp2Server((_, response) => response.writeHead(200).end());
    opened.push(http2);
    http2.listen(0, "127.0.0.1");
    await once(http2, "listening");
    const { port } = http2.address() as AddressInfo;
    expect(await health(`h2c://localhost:${port}`)).toMatchObject({ health: "healthy" });
    expect(await health(`http://localhost:${port}`)).toMatchObject({
      health: "unhealthy",
      reason: expect.stringContaining("it speaks HTTP/2 without TLS (h2c)"),
    });
  });

  test("its path and statuses, and that nothing listens", async () => {
    const location = await answering(204, {}, "");
    expect(await health(location, { path: "/gesund ü?a=b", statuses: [204] })).toMatchObject({
      health: "healthy",
    });
    expect(await health(location, { path: "/healthz", statuses: [204] })).toMatchObject({
      health: "healthy",
    });
    expect(await health(location, { statuses: [200] })).toMatchObject({
      health: "unhealthy",
      reason: `${location}/ answered 204, expected 200`,
    });
    expect(await health("http://localhost:1")).toMatchObject({
      health: "unhealthy",
      reason: expect.stringContaining("nothing listens there"),
    });
  });

  test.each<[string, number, Record<string, string>, string]>([
    ["Linkup's own 422", 422, { "linkup-error": "unknown-session" }, ""],
    [
      "the existing Linkup's 422",
      422,
      {},
      "Linkup was unable to determine the session origin of the request.",
    ],
    ["its 404", 404, {}, "The request belonged to a session, but there was no target for the request."],
  ])("%s is no service", async (_, status, headers, body) => {
    const location = await answering(status, headers, body);
    for (const way of [ask, askDirectly]) {
      const own = new HealthBook();
      await own.refresh([{ location, check: {} }], way);
      expect(own.of({ location, check: {} })).toMatchObject({
        health: "unhealthy",
        reason: expect.stringContaining("leads back to Linkup"),
      });
    }
    const session = { state: "running", kind: "tunneled", urls: [location] } as unknown as SessionView;
    const checks = await checkAddresses([session], undefined);
    expect(checks).toMatchObject([{ state: "broken", found: expect.stringContaining(String(status)) }]);
    expect(await health(await answering(status, {}, "of the service"))).toMatchObject({ health: "healthy" });
  });
});
