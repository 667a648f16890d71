/** `linkup check-propagation` with the example system, one of whose services loses the session, and its spans at a collector. */
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exchange } from "../../../core/api/request-log-api.ts";
import type { CheckedPropagation } from "../../../manager/operations/check-propagation.ts";
import { Shop, TOKEN } from "../../e2e/shop.ts";
import { decodedSpans } from "../../support/otlp.ts";
import { dist, measured, temporaryFolder, until } from "../manager/world.ts";

const SECRET = "Zq8fJ2kLmN4pR6tV";
let shop: Shop;
let host: string;
let cli: string;
const home = join(temporaryFolder("linkup-propagation-"), "home");

beforeAll(async () => {
  cli = join(await dist(), "cli.js");
  shop = await Shop.start("free", "tracestate");
  const started = await linkup("start", "--detach", "--json");
  expect(started.code, started.stderr).toBe(0);
  host = new URL(JSON.parse(started.stdout).urls[0]).hostname;
});
afterAll(async () => {
  await linkup("stop", "--all");
  await shop?.stop();
});

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

function linkup(...args: string[]): Promise<Ran> {
  const env = {
    PATH: process.env.PATH,
    HOME: join(home, ".."),
    LINKUP_HOME: home,
    LINKUP_WORKER_TOKEN: TOKEN,
    ...measured,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { cwd: shop.folder, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

test("a probe through each service names the one that loses the session, and what helps", async () => {
  // Only this request leads api to call auth: the probe repeats it.
  const api = host.replace(".", ".api.");
  await until("a request to api", async () => {
    await shop.ask(api, "/whoami");
    await linkup("route", "local", "api");
    const { stdout } = await linkup("requests", "--service", "api", "--json");
    return (JSON.parse(stdout) as Exchange[]).length > 0;
  });
  const { code, stdout, stderr } = await linkup("check-propagation", "--probe");
  expect(stderr).toContain("Sending a request through each service");
  expect(stdout, stderr).toContain("got the session");
  expect(stdout).toMatch(
    /✗ api \(.*\) lost the session \S+ \(\d+, such as GET shop\.localhost:?\d*\/auth\/whoami\): it passes on traceparent, but not tracestate/,
  );
  expect(stdout).toMatch(/^✗ api got the session/m);
  expect(stdout).toMatch(/^✓ web got the session/m);
  expect(stdout).toMatch(/^✓ auth got the session/m);
  expect(code).toBe(6);
  const json = JSON.parse(
    (await linkup("check-propagation", "--probe", "--json")).stdout,
  ) as CheckedPropagation;
  expect(json.probed?.map(({ service, status }) => [service, status])).toEqual([
    ["web", 200],
    ["api", 200],
    ["auth", expect.any(Number)],
  ]);
  expect(json.services.find(({ service }) => service === "api")!.lost).toBeGreaterThan(0);
});

test("the log as spans at a collector: one for each hop, below its caller, and no secret", async () => {
  await shop.ask(host.replace(".", ".api."), "/whoami?token=secret", { authorization: `Bearer ${SECRET}` });
  const { promise, resolve } = Promise.withResolvers<{ url?: string; type?: string; body: Buffer }>();
  const collector = createServer((request, response) => {
    const parts: Buffer[] = [];
    request
      .on("data", (part) => parts.push(part))
      .on("end", () => {
        resolve({ url: request.url!, type: request.headers["content-type"]!, body: Buffer.concat(parts) });
        response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
      });
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => collector.once("listening", listening));
  const { port } = collector.address() as AddressInfo;
  const { code, stderr } = await linkup("requests", "--otlp", `http://127.0.0.1:${port}`);
  expect(code, stderr).toBe(0);
  const { url, type, body } = await promise;
  collector.close();
  expect([url, type]).toEqual(["/v1/traces", "application/x-protobuf"]);
  expect(body.toString("latin1")).not.toContain(SECRET);
  const spans = decodedSpans(body);
  const api = spans.filter(({ service }) => service === "api");
  expect(api.length).toBeGreaterThan(0);
  for (const span of api) {
    expect(span).toMatchObject({
      trace: expect.stringMatching(/^[0-9a-f]{32}$/),
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: "GET /whoami",
    });
    expect(span.end).toBeGreaterThanOrEqual(span.start);
  }
  expect(spans.every(({ resource }) => /^linkup-(worker|local-server)$/.test(resource))).toBe(true);
  const nobody = await linkup("requests", "--otlp", `http://127.0.0.1:${port}`);
  expect(nobody.code).toBe(1);
  expect(nobody.stderr).toContain("did not accept the spans");
  expect((await linkup("requests", "--otlp", "ftp://x")).code).toBe(2);
});
