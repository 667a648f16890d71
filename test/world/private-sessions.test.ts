/** An invite in a real Chromium: a private session of three domains, at a Worker as it is deployed, behind TLS. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { createAuthority, issueLeaf } from "../../core/certificates/certificate-authority.ts";
import { Internet } from "../integration/worker/internet.ts";
import { apiOf, type startWorker } from "../integration/worker/world.ts";
import { CHROMIUM, CHROMIUM_FLAGS } from "../support/chromium.ts";

const DOMAINS = ["a.test", "b.test", "c.test"];
const NAME = "slim-gecko";
const PAGE = `https://${NAME}.a.test/page`;
const OTHER = `https://${NAME}.b.test`;

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let edge: https.Server;
let browser: BrowserContext;
const sockets = new WebSocketServer({ noServer: true });
/** What reached services, and the cookies and proofs that they saw. */
const reached = new Set<string>();
const seen: string[] = [];

/** Ends TLS, as Cloudflare's edge does, and says who the client is. */
function startEdge(options: https.ServerOptions, to: URL): https.Server {
  const server = https.createServer(options);
  const pass = ({ method, url, headers }: http.IncomingMessage) =>
    http.request({
      hostname: to.hostname,
      port: to.port,
      method,
      path: url,
      headers: { ...headers, "x-forwarded-proto": "https", "cf-connecting-ip": "2001:db8::1" },
    });
  server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
    const onward = pass(request);
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.on("upgrade", (request: http.IncomingMessage, socket: Socket) => {
    const onward = pass(request).end();
    const lines = (answer: http.IncomingMessage) =>
      Object.entries(answer.headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join("");
    onward.on("upgrade", (answer, upstream, first) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines(answer)}\r\n`);
      socket.write(first);
      upstream.pipe(socket).pipe(upstream);
      for (const end of [upstream, socket]) end.on("error", () => socket.destroy());
    });
    onward.on("response", (answer) => socket.end(`HTTP/1.1 ${answer.statusCode} No\r\n\r\n`));
    onward.on("error", () => socket.destroy());
  });
  return server;
}

const page = `<!doctype html><title>page</title><p>content</p><img src="${OTHER}/image">
<form method="post" action="https://${NAME}.c.test/form"><button>send</button></form>`;

describe.skipIf(!existsSync(CHROMIUM))("an invite in Chromium", () => {
  beforeAll(async () => {
    internet = await new Internet().start();
    internet.hosts.set("web.example.org", (request, response) => {
      reached.add(`${request.method} ${request.headers["x-forwarded-host"]}${request.url}`);
      seen.push(`${request.headers.cookie} ${request.headers["linkup-access"]}`);
      response
        .writeHead(200, { "content-type": "text/html" })
        .end(request.url === "/page" ? page : "<p>done</p>");
    });
    internet.server.on("upgrade", (request, socket, first) => {
      sockets.handleUpgrade(request, socket, first, (client) => client.send("hello"));
    });
    worker = await internet.startWorker();
    const created = await apiOf(worker.url)("POST", "/linkup/v2/sessions/preview", {
      services: [{ name: "web", location: "http://web.example.org" }],
      domains: DOMAINS.map((domain) => ({ domain, default_service: "web" })),
      desired_name: NAME,
      session_token: "t",
      access: "private",
    });
    expect(created.status, created.body).toBe(200);
    const authority = await createAuthority(["a.test"], Date.now());
    const { certificate, key } = await issueLeaf(authority, "a.test", Date.now());
    edge = startEdge({ cert: certificate, key }, new URL(worker.url)).listen(0, "127.0.0.1");
    await once(edge, "listening");
    const { port } = edge.address() as AddressInfo;
    browser = await chromium.launchPersistentContext("", {
      executablePath: CHROMIUM,
      ignoreHTTPSErrors: true,
      args: [
        ...CHROMIUM_FLAGS,
        "--ignore-certificate-errors",
        "--disable-features=LocalNetworkAccessChecks",
        `--host-resolver-rules=MAP *.test 127.0.0.1:${port}`,
      ],
    });
  });
  afterAll(async () => {
    await browser?.close();
    for (const client of sockets.clients) client.terminate();
    edge?.closeAllConnections();
    edge?.close();
    await worker?.stop();
    await internet?.stop();
  });

  test("page, fetch without credentials, image, WebSocket and form work; without it nothing does", async () => {
    const tab = await browser.newPage();
    const refused = await tab.goto(PAGE);
    expect([refused?.status(), await tab.textContent("h1")]).toEqual([401, `The session ${NAME} is private`]);
    expect(reached).toEqual(new Set());

    const invite = await apiOf(worker.url)("POST", `/linkup/v2/sessions/${NAME}/invites`, { uses: 1 });
    await tab.goto(String(invite.json().url));
    await tab.waitForURL(`https://${NAME}.a.test/`);
    const cookies = (await browser.cookies()).filter(({ name }) => name.includes("linkup-access"));
    expect(cookies.map(({ domain, secure, httpOnly }) => [domain, secure, httpOnly]).toSorted()).toEqual(
      DOMAINS.map((domain) => [`.${domain}`, true, true]),
    );

    await tab.goto(PAGE);
    const results = await tab.evaluate(async (other) => {
      const answer = await fetch(`${other}/fetch`, { method: "PUT", credentials: "omit" });
      const socket = new WebSocket(`${other.replace("https", "wss")}/socket`);
      const message = await new Promise((resolve) => {
        socket.onmessage = ({ data }) => resolve(data);
        socket.onerror = () => resolve("refused");
      });
      return [answer.status, message];
    }, OTHER);
    expect(results).toEqual([200, "hello"]);
    await tab.click("button");
    await tab.waitForURL(`https://${NAME}.c.test/form`);
    expect(await tab.textContent("p")).toBe("done");
    expect([...reached]).toEqual(
      expect.arrayContaining([
        `GET ${NAME}.a.test/page`,
        `GET ${NAME}.b.test/image`,
        `PUT ${NAME}.b.test/fetch`,
        `POST ${NAME}.c.test/form`,
      ]),
    );
    expect(seen.join(" ")).not.toContain("linkup-access");

    // A page of another site, in the same browser and network.
    await tab.route("https://evil.test/", (route) =>
      route.fulfill({ body: "<p>evil</p>", contentType: "text/html" }),
    );
    await tab.goto("https://evil.test/");
    reached.clear();
    const stolen = await tab.evaluate(`(async () => {
      await fetch("${PAGE}", { mode: "no-cors", credentials: "include" });
      const image = new Image();
      const loaded = new Promise((resolve) => (image.onload = image.onerror = resolve));
      image.src = "${PAGE}?image";
      await loaded;
      const socket = new WebSocket("${PAGE.replace("https", "wss")}");
      return new Promise((resolve) => {
        socket.onopen = () => resolve("open");
        socket.onerror = () => resolve("refused");
      });
    })()`);
    expect([stolen, [...reached]]).toEqual(["refused", []]);
  });
});
