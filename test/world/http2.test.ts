/** HTTP/2 as others read its specification: h2spec, and the clients curl, nghttp, h2load and Chromium. */
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { Http2Server } from "../../local-server/downstream/http2-server.ts";
import { APP, type ProxiedRequest, type System, startSystem, until } from "../integration/proxy/system.ts";
import { CHROMIUM, CHROMIUM_FLAGS } from "../support/chromium.ts";

const run = promisify(execFile);
const { LINKUP_H2SPEC: h2spec = "h2spec" } = process.env;
const has = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

const absent = [
  ...(has(h2spec, "--version") ? [] : ["h2spec (npm run test:world builds it where there is a Go)"]),
  ...(/HTTP2/.test(String(spawnSync("curl", ["--version"]).stdout)) ? [] : ["curl with HTTP/2"]),
  ...(has("h2load", "--version") ? [] : ["nghttp and h2load (apt-get install nghttp2-client)"]),
];
if (absent.length > 0) console.error(`SKIPPED: HTTP/2 with ${absent.join(", ")}`);
if (!existsSync(CHROMIUM)) absent.push(`Chromium, because there is no ${CHROMIUM}`);
const lacks = (name: string) => absent.some((each) => each.includes(name));

test.skipIf(lacks("h2spec"))("h2spec's 145 cases", async () => {
  const server = new Http2Server((client) => {
    if (client.hasBody) client.read({ data() {}, end() {} });
    const body = Buffer.from("Hello!");
    client.respond({
      status: 200,
      reason: "OK",
      headers: [],
      hasBody: client.method !== "HEAD",
      length: undefined,
    });
    client.write(body, () => {});
    client.end([]);
  });
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.accept(socket));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const { stdout } = await run(h2spec, ["-h", "127.0.0.1", "-p", String(port)]).catch((error) => error);
  listener.close();
  expect(stdout).toContain("145 tests, 145 passed, 0 skipped, 0 failed");
});

describe("clients", () => {
  const folder = mkdtempSync(join(tmpdir(), "linkup-http2-"));
  const authority = join(folder, "authority.pem");
  const upload = join(folder, "upload");
  const large = Buffer.alloc(3_000_000, "large ");
  let system: System;
  beforeAll(async () => {
    system = await startSystem();
    writeFileSync(authority, system.ca);
    writeFileSync(upload, large);
  });
  afterAll(async () => {
    await system.stop();
    rmSync(folder, { recursive: true });
  });

  const curl = async (...args: string[]) => {
    const to = ["--connect-to", `::127.0.0.1:${system.port}`];
    const { stdout } = await run("curl", ["-sS", "--http2", "--cacert", authority, ...to, ...args], {
      maxBuffer: 10_000_000,
    });
    return stdout;
  };

  test.skipIf(lacks("curl"))("curl: a request, an upload, a large response", async () => {
    const seen = JSON.parse(await curl("-H", "X-Own: 1", `https://${APP}/path`)) as ProxiedRequest;
    expect(seen).toMatchObject({ method: "GET", url: "/path", headers: { "x-own": "1" } });
    const sent = JSON.parse(await curl("--data-binary", `@${upload}`, `https://${APP}/`)) as ProxiedRequest;
    expect(sent.body).toBe(large.toString());
    system.app.handler = (_request, response) => response.end(large);
    expect(await curl("-w", "%{http_version}", `https://${APP}/`)).toBe(`${large}2`);
    system.app.handler = undefined;
  });

  test.skipIf(lacks("curl"))("curl without TLS", async () => {
    const url = `http://${APP}/path`;
    const { stdout } = await run("curl", [
      "-sS",
      "--http2-prior-knowledge",
      "--connect-to",
      `::127.0.0.1:${system.port}`,
      url,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ url: "/path" });
  });

  test.skipIf(lacks("h2load"))("nghttp with priorities, padding, small windows and trailers", async () => {
    const args = [
      "-v",
      "-n",
      "-w",
      "10",
      "-W",
      "12",
      "-b",
      "20",
      "--trailer=x-sum: 1",
      "-H",
      `:authority: ${APP}`,
      "-d",
      upload,
    ];
    const { stdout } = await run("nghttp", [...args, `http://127.0.0.1:${system.port}/`], {
      maxBuffer: 100_000_000,
    });
    expect(stdout).toMatch(/:status: 200/);
    expect(stdout).toMatch(/recv GOAWAY|END_STREAM/);
    expect(stdout).not.toMatch(/recv RST_STREAM/);
  });

  test.skipIf(lacks("h2load"))("h2load: 5,000 requests, 100 at once on each of 5 connections", async () => {
    const args = ["-n", "5000", "-c", "5", "-m", "100", `--connect-to=127.0.0.1:${system.port}`];
    const { stdout } = await run("h2load", [...args, `https://${APP}/`]);
    expect(stdout).toContain("5000 succeeded, 0 failed, 0 errored, 0 timeout");
    expect(stdout).toContain("status codes: 5000 2xx");
  });

  test.skipIf(lacks("Chromium"))("Chromium: 300 files, an upload, events and a WebSocket", async () => {
    let result: unknown;
    let upgraded = false;
    system.app.handler = (request, response) => {
      if (request.url === "/") return response.setHeader("content-type", "text/html").end(PAGE);
      if (request.url === "/events") {
        response.setHeader("content-type", "text/event-stream");
        response.write("data: one\n\n");
        return setTimeout(() => response.write("data: two\n\n"), 50);
      }
      let body = "";
      request.setEncoding("latin1").on("data", (text) => {
        body += text;
      });
      return request.on("end", () => {
        if (request.url === "/result") result = JSON.parse(body);
        response.end(request.method === "POST" ? String(body.length) : "x".repeat(20_000));
      });
    };
    const sockets = new WebSocketServer({ server: system.app.server });
    sockets.on("connection", (socket) => {
      upgraded = true;
      socket.on("message", (message) => socket.send(String(message)));
    });
    const flags = [...CHROMIUM_FLAGS, "--ignore-certificate-errors", "--remote-debugging-port=0"];
    const chromium = spawn(
      CHROMIUM,
      [
        "--headless",
        ...flags,
        `--user-data-dir=${join(folder, "profile")}`,
        `--host-resolver-rules=MAP ${APP} 127.0.0.1`,
        `https://${APP}:${system.port}/`,
      ],
      { stdio: "ignore" },
    );
    await until(() => result !== undefined, "the page is done").finally(async () => {
      chromium.kill("SIGKILL");
      await once(chromium, "close");
      sockets.close();
      system.app.handler = undefined;
    });
    const sizes = { files: 300 * 20_000, upload: "3000000" };
    expect(result).toEqual({ ...sizes, events: ["one", "two"], message: "echo", protocols: ["h2"] });
    expect(upgraded).toBe(true);
  });
});

/** Asks for all of it, and posts what it got. */
const PAGE = `<!doctype html><script type="module">
const texts = await Promise.all(Array.from({ length: 300 }, (_, i) => fetch("/file" + i).then((r) => r.text())));
const files = texts.reduce((sum, text) => sum + text.length, 0);
const upload = await fetch("/upload", { method: "POST", body: "u".repeat(3000000) }).then((r) => r.text());
const source = new EventSource("/events");
const events = [];
await new Promise((done) => (source.onmessage = ({ data }) => events.push(data) === 2 && done()));
source.close();
const socket = new WebSocket("wss://" + location.host + "/live");
socket.onopen = () => socket.send("echo");
const message = await new Promise((done) => (socket.onmessage = ({ data }) => done(data)));
const protocols = [...new Set(performance.getEntriesByType("resource").map((e) => e.nextHopProtocol).filter(Boolean))];
await fetch("/result", { method: "POST", body: JSON.stringify({ files, upload, events, message, protocols }) });
</script>`;
