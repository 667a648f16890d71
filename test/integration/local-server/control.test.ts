import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ControlClient } from "../../../manager/components/local-server/control-client.ts";
import { controlAddress } from "../../../node/control-address.ts";
import { logFolder, MAX_LOG_BYTES, tunnelLogFile } from "../../../node/log-files.ts";
import { until } from "../manager/world.ts";
import { callControl, newHome, type RunningServer, spawnLocalServer, startLocalServer } from "./harness.ts";

const session = (location = "http://localhost:1") => ({
  session: {
    kind: "tunneled",
    session_token: "owner",
    services: [{ name: "frontend", location, rewrites: null }],
    domains: [{ domain: "example.com", default_service: "frontend", routes: null }],
    cache_routes: null,
  },
  origin_secret: "sesame",
  config_path: "/somewhere/linkup.yaml",
});

describe("the control API", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startLocalServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("says what runs", async () => {
    const { status, body } = await server.control("GET", "/v1/status");
    expect(status).toBe(200);
    expect(body).toMatchObject({ pid: server.process.pid, sessions: [], leases: [] });
    expect(body).toMatchObject({ version: JSON.parse(readFileSync("package.json", "utf8")).version });
  });

  test("is for its user alone", () => {
    const address = controlAddress(server.home);
    expect(statSync(address).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(address)).mode & 0o777).toBe(0o700);
  });

  test("keeps sessions, and shows them without their secrets", async () => {
    expect(await server.control("PUT", "/v1/sessions/slim-gecko", session())).toEqual({
      status: 200,
      body: {},
    });
    const { body } = await server.control("GET", "/v1/sessions");
    expect(body).toMatchObject({ sessions: { "slim-gecko": { config_path: "/somewhere/linkup.yaml" } } });
    expect(JSON.stringify(body)).not.toMatch(/sesame|owner/);
    expect(await server.control("DELETE", "/v1/sessions/slim-gecko")).toEqual({
      status: 204,
      body: undefined,
    });
    expect(await server.control("DELETE", "/v1/sessions/slim-gecko")).toEqual({
      status: 204,
      body: undefined,
    });
    expect((await server.control("GET", "/v1/sessions")).body).toEqual({ sessions: {} });
  });

  test("refuses an invalid session with every problem", async () => {
    const wrong = { ...session("ftp://localhost"), origin_secret: 5 };
    const { status, body } = await server.control("PUT", "/v1/sessions/-slim", wrong);
    expect(status).toBe(400);
    const { error } = body as { error: string };
    for (const part of ['"-slim"', "origin_secret", "session: services[0].location"])
      expect(error).toContain(part);
    expect((await server.control("GET", "/v1/sessions")).body).toEqual({ sessions: {} });
  });

  test("explains where a request goes, and why", async () => {
    await server.control("PUT", "/v1/sessions/slim-gecko", session());
    const { body } = await server.control("POST", "/v1/explain", {
      url: "http://api.example.org/a",
      headers: { "X-Forwarded-Host": "fat-toad.example.com", Referer: "https://slim-gecko.example.com/" },
    });
    expect(body).toMatchObject({
      failure: { status: 421, code: "misdirected" },
      candidates: [
        { name: "api", source: "host", known: false },
        { name: "fat-toad", source: "x-forwarded-host", known: false },
        { name: "slim-gecko", source: "referer", known: true },
      ],
      session: "slim-gecko",
      decision: { outcome: "routed", service: { name: "frontend" }, reason: { by: "default" } },
    });
    const elsewhere = await server.control("POST", "/v1/explain", { url: "https://pr-1.example.com/a" });
    expect(elsewhere.body).toEqual({
      candidates: [{ name: "pr-1", source: "host", known: false }],
      session: null,
      decision: null,
      public_host: "pr-1.example.com",
    });
    await server.control("DELETE", "/v1/sessions/slim-gecko");
    const none = await server.control("POST", "/v1/explain", { url: "http://slim-gecko.example.com/" });
    expect(none.body).toMatchObject({ session: null, decision: null, failure: { status: 422 } });
  });

  test.each([
    ["POST", "/v1/explain", { url: "not a url" }, 400],
    ["POST", "/v1/explain", { url: "http://a.b/", headers: { a: 1 } }, 400],
    ["POST", "/v1/explain", { url: "http://a.b/", method: "bad method" }, 400],
    ["PUT", "/v1/leases/window", { ttl_ms: "soon" }, 400],
    ["PUT", "/v1/leases/window", {}, 400],
    ["GET", "/v1/nothing", undefined, 404],
  ])("answers %s %s with %j as an error in JSON", async (method, path, body, status) => {
    const answer = await server.control(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error: expect.any(String) });
  });

  test("a second server of the same home leaves at once", async () => {
    const { ended, log } = await spawnLocalServer(server.home, ["--browser-port", "0"]);
    expect(await ended).toBe(0);
    expect(log()).toContain("already running");
    expect((await server.control("GET", "/v1/status")).status).toBe(200);
  });
});

describe("the log of a session's cloudflared", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startLocalServer();
    mkdirSync(logFolder(server.home));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const log = () => tunnelLogFile(server.home, "slim-gecko");
  const ended = () => server.control("DELETE", "/v1/tunnel-logs/slim-gecko");

  /** A process that writes to the connection as cloudflared does, and nobody else holds it. */
  async function writer(script: string) {
    const output = await new ControlClient(server.home).openTunnelLog("slim-gecko", ["s3cret", "täken"]);
    if (!output) throw new Error("No local server runs.");
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", output, output] });
    output.destroy();
    return child;
  }

  test("is not there while no local server runs", async () => {
    expect(await new ControlClient(newHome()).openTunnelLog("slim-gecko", [])).toBe(undefined);
  });

  test("has all that a process said when that has ended, without secrets, for its user alone", async () => {
    const child = await writer(
      'console.log("one s3cret"); console.error("two"); process.stdout.write("three")',
    );
    await once(child, "exit");
    expect((await ended()).status).toBe(204);
    expect(readFileSync(log(), "utf8")).toBe("one ******\ntwo\nthree");
    if (process.platform !== "win32") expect(statSync(log()).mode & 0o777).toBe(0o600);
  });

  test("has a bound of 5 MB and an older one, however much is said, and the server answers meanwhile", async () => {
    const child = await writer(
      'const line = Buffer.alloc(1000, "x"); line[999] = 10; for (let i = 0; i < 30_000; i++) require("fs").writeSync(1, line)',
    );
    const exit = once(child, "exit");
    let asked = 0;
    while (child.exitCode === null && child.signalCode === null) {
      expect((await server.control("GET", "/v1/status")).status).toBe(200);
      asked++;
    }
    expect((await exit)[0]).toBe(0);
    expect(asked).toBeGreaterThan(0);
    await ended();
    expect(statSync(log()).size + statSync(`${log()}.1`).size).toBeLessThan(2 * (MAX_LOG_BYTES + 128 * 1024));
    expect(statSync(`${log()}.1`).size).toBeGreaterThan(MAX_LOG_BYTES);
  });

  test("does not wait for ever for a descendant that keeps the connection", async () => {
    const child = await writer('console.log("here"); setTimeout(() => {}, 60_000)');
    await until("its line", () => readFileSync(log(), "utf8").endsWith("here\n"));
    expect((await ended()).status).toBe(204);
    child.kill("SIGKILL");
    await once(child, "exit");
  });

  test.each(["../x", "a/b", "", "UPPER"])("is of no session named %j", async (name) => {
    const wrong = new ControlClient(server.home).openTunnelLog(name, []);
    await expect(wrong).rejects.toThrow("does not speak linkup-log");
  });
});

describe("the life of the server", () => {
  test("stop is answered, then the process ends and its socket is gone", async () => {
    await using server = await startLocalServer();
    expect(await server.control("POST", "/v1/stop")).toEqual({ status: 202, body: {} });
    expect(await server.ended).toBe(0);
    expect(existsSync(controlAddress(server.home))).toBe(false);
  });

  test("SIGTERM ends it", async () => {
    await using server = await startLocalServer();
    server.process.kill("SIGTERM");
    expect(await server.ended).toBe(0);
  });

  test("takes the place of one that was killed", async () => {
    const home = newHome();
    const first = await startLocalServer(undefined, { home });
    first.process.kill("SIGKILL");
    await first.ended;
    expect(existsSync(controlAddress(home))).toBe(true);
    await using second = await startLocalServer(undefined, { home });
    expect(second.status.pid).toBe(second.process.pid);
  });

  test("of many started over a dead one's socket exactly one serves", async () => {
    const home = newHome();
    const first = await startLocalServer(undefined, { home });
    first.process.kill("SIGKILL");
    await first.ended;
    const started = await Promise.all(
      Array.from({ length: 4 }, () => spawnLocalServer(home, ["--browser-port", "0"])),
    );
    const codes = await Promise.all(
      started.map(({ ended, log }) =>
        Promise.race([ended, waitFor(() => log().includes("browser port")).then(() => "serves")]),
      ),
    );
    expect(codes.toSorted()).toEqual([0, 0, 0, "serves"]);
    expect((await callControl(home, "POST", "/v1/stop")).status).toBe(202);
    await Promise.all(started.map(({ ended }) => ended));
  });

  test("a home whose path is too long for a socket gets one elsewhere", async () => {
    const home = join(newHome(), "x".repeat(120));
    await using server = await startLocalServer(undefined, { home });
    expect((await server.control("GET", "/v1/status")).status).toBe(200);
  });

  test("browsers find the same port after a restart", async () => {
    const home = newHome();
    // Other tests take the conventional port and leave it at any time: it is taken for this one.
    const other = createServer().on("error", () => {});
    other.listen(9080, "127.0.0.1");
    const first = await startLocalServer([], { home });
    first.process.kill("SIGTERM");
    await first.ended;
    await using second = await startLocalServer([], { home });
    other.close();
    expect(second.status.browser_port).toBe(first.status.browser_port);
  });

  test("a port that was asked for and is taken is an error that says so", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await waitFor(() => holder.listening);
    const { port } = holder.address() as { port: number };
    const { ended, log } = await spawnLocalServer(newHome(), ["--browser-port", String(port)]);
    expect(await ended).toBe(1);
    expect(log()).toMatch(/cannot start: .*EADDRINUSE/);
    holder.close();
  });

  test("an invalid argument is an error that names it", async () => {
    const { ended, log } = await spawnLocalServer(newHome(), ["--browser-port", "http"]);
    expect(await ended).toBe(1);
    expect(log()).toContain('--browser-port must be a port number from 0 to 65535, not "http"');
  });
});

test("a local server that ends right behind its status takes no lease, and holds none", async () => {
  const server = await startLocalServer();
  const control = new ControlClient(server.home);
  expect(await control.status()).toMatchObject({ pid: server.process.pid });
  expect(await control.putLease("window", { ttl_ms: 1_000 })).toBe(true);
  server.process.kill("SIGTERM");
  await server.ended;
  expect(await control.putLease("window", { ttl_ms: 1_000 })).toBe(false);
  await control.deleteLease("window");
  await control.deleteSession("slim-gecko");
});

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
