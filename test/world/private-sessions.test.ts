/**
 * An invite in a real Chromium: a private session of three sites. At a Worker as it is deployed, behind TLS, also where the
 * browser blocks third-party cookies; and at one on this machine, which trusts no client's network.
 */
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { createAuthority, issueLeaf } from "../../core/certificates/certificate-authority.ts";
import { Internet } from "../integration/worker/internet.ts";
import { apiOf, type startWorker } from "../integration/worker/world.ts";
import { CHROMIUM, CHROMIUM_FLAGS } from "../support/chromium.ts";

const DOMAINS = ["a.test", "b.test", "c.test"];
const NAME = "slim-gecko";

interface Mode {
  title: string;
  scheme: "https" | "http";
  tunnel: "cloudflare" | "direct";
  blocksThirdPartyCookies?: true;
  /** What requests of the session's page to its other sites get. */
  acrossSites: "allowed" | "refused";
}

const MODES: Mode[] = [
  { title: "an invite in Chromium", scheme: "https", tunnel: "cloudflare", acrossSites: "allowed" },
  {
    title: "an invite in Chromium without third-party cookies",
    scheme: "https",
    tunnel: "cloudflare",
    blocksThirdPartyCookies: true,
    acrossSites: "allowed",
  },
  {
    title: "an invite in Chromium, at a Worker on this machine",
    scheme: "http",
    tunnel: "direct",
    acrossSites: "refused",
  },
];

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

describe.skipIf(!existsSync(CHROMIUM)).each(MODES)("$title", (mode) => {
  const { scheme, tunnel, acrossSites } = mode;
  const isLetIn = acrossSites === "allowed";
  const PAGE = `${scheme}://${NAME}.a.test/page`;
  const OTHER = `${scheme}://${NAME}.b.test`;
  const html = `<!doctype html><title>page</title><p>content</p><img src="${OTHER}/image">
<form method="post" action="${scheme}://${NAME}.c.test/form"><button>send</button></form>`;

  let internet: Internet;
  let worker: Awaited<ReturnType<typeof startWorker>>;
  let edge: https.Server | undefined;
  let browser: BrowserContext;
  let profile: string;
  const sockets = new WebSocketServer({ noServer: true });
  /** What reached services, and the cookies and proofs that they saw. */
  const reached = new Set<string>();
  const seen: string[] = [];

  beforeAll(async () => {
    internet = await new Internet().start();
    internet.hosts.set("web.example.org", ({ method, url, headers }, response) => {
      reached.add(`${method} ${headers["x-forwarded-host"]}${url}`);
      seen.push(`${url} ${headers.cookie} ${headers["linkup-access"]}`);
      const cookie = { "set-cookie": "login=1; Path=/; SameSite=None; Secure" };
      response
        .writeHead(200, { "content-type": "text/html", ...(url === "/login" ? cookie : {}) })
        .end(url === "/page" ? html : "<p>done</p>");
    });
    internet.server.on("upgrade", (request, socket, first) => {
      sockets.handleUpgrade(request, socket, first, (client) => client.send("hello"));
    });
    worker = await internet.startWorker({ LINKUP_TUNNEL: tunnel });
    const created = await apiOf(worker.url)("POST", "/linkup/v2/sessions/preview", {
      services: [{ name: "web", location: "http://web.example.org" }],
      domains: DOMAINS.map((domain) => ({ domain, default_service: "web" })),
      desired_name: NAME,
      session_token: "t",
      access: "private",
    });
    expect(created.status, created.body).toBe(200);
    let { port } = new URL(worker.url);
    if (scheme === "https") {
      const authority = await createAuthority(["a.test"], Date.now());
      const { certificate, key } = await issueLeaf(authority, "a.test", Date.now());
      edge = startEdge({ cert: certificate, key }, new URL(worker.url)).listen(0, "127.0.0.1");
      await once(edge, "listening");
      port = String((edge.address() as AddressInfo).port);
    }
    profile = mkdtempSync(join(tmpdir(), "linkup-chromium-"));
    mkdirSync(join(profile, "Default"));
    const preferences = { profile: { cookie_controls_mode: mode.blocksThirdPartyCookies ? 1 : 0 } };
    writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      ignoreHTTPSErrors: true,
      args: [
        ...CHROMIUM_FLAGS,
        "--ignore-certificate-errors",
        "--disable-features=LocalNetworkAccessChecks,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
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
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  test(`page and parts of its site work, fetch, image, WebSocket and form to other sites are ${acrossSites}; without it nothing works`, async () => {
    const tab = await browser.newPage();
    const refused = await tab.goto(PAGE);
    expect([refused?.status(), await tab.textContent("h1")]).toEqual([401, `The session ${NAME} is private`]);
    expect(reached).toEqual(new Set());

    const invite = await apiOf(worker.url)("POST", `/linkup/v2/sessions/${NAME}/invites`, { uses: 1 });
    // The browser finds the Worker at the default port.
    await tab.goto(String(invite.json().url).replace(/:\d+(?=\/)/, ""));
    await tab.waitForURL(`${scheme}://${NAME}.a.test/`);
    const cookies = (await browser.cookies()).filter(({ name }) => name.includes("linkup-access"));
    expect(cookies.map(({ domain, secure, httpOnly }) => [domain, secure, httpOnly]).toSorted()).toEqual(
      DOMAINS.map((domain) => [`.${domain}`, scheme === "https", true]),
    );

    // Each site by itself, as a link leads there.
    expect((await tab.goto(`${OTHER}/login`))?.status()).toBe(200);
    expect((await tab.goto(PAGE))?.status()).toBe(200);
    const results = await tab.evaluate(async (other) => {
      const statusOf = (url: string, options: RequestInit) =>
        fetch(url, options).then(
          ({ status }) => status,
          () => "refused",
        );
      const socket = new WebSocket(`${other.replace("http", "ws")}/socket`);
      const message = await new Promise((resolve) => {
        socket.onmessage = ({ data }) => resolve(data);
        socket.onerror = () => resolve("refused");
      });
      return [
        await statusOf("/own", { method: "PUT" }),
        await statusOf(`${other}/fetch`, { method: "PUT", credentials: "omit" }),
        await statusOf(`${other}/credentials`, { method: "PUT", credentials: "include" }),
        message,
      ];
    }, OTHER);
    expect(results).toEqual(isLetIn ? [200, 200, 200, "hello"] : [200, "refused", "refused", "refused"]);
    await tab.click("button");
    await tab.waitForURL(`${scheme}://${NAME}.c.test/form`);
    if (isLetIn) expect(await tab.textContent("p")).toBe("done");
    else expect(await tab.textContent("h1")).toBe(`The session ${NAME} is private`);
    const across = [
      `GET ${NAME}.b.test/image`,
      `PUT ${NAME}.b.test/fetch`,
      `PUT ${NAME}.b.test/credentials`,
      `POST ${NAME}.c.test/form`,
    ];
    expect([...reached]).toEqual(
      expect.arrayContaining([`GET ${NAME}.a.test/page`, `PUT ${NAME}.a.test/own`]),
    );
    expect(across.filter((request) => reached.has(request))).toEqual(isLetIn ? across : []);
    expect(seen.join(" ")).not.toContain("linkup-access");
    // A login of the services themselves on another site is the browser's matter.
    const isSent = seen.some((line) => line.startsWith("/credentials") && line.includes("login=1"));
    expect(isSent).toBe(isLetIn && !mode.blocksThirdPartyCookies);

    // A page of another site, in the same browser and network.
    await tab.route(`${scheme}://evil.test/`, (route) =>
      route.fulfill({ body: "<p>evil</p>", contentType: "text/html" }),
    );
    await tab.goto(`${scheme}://evil.test/`);
    reached.clear();
    const stolen = await tab.evaluate(`(async () => {
      await fetch("${PAGE}", { mode: "no-cors", credentials: "include" });
      const image = new Image();
      const loaded = new Promise((resolve) => (image.onload = image.onerror = resolve));
      image.src = "${PAGE}?image";
      await loaded;
      const socket = new WebSocket("${PAGE.replace("http", "ws")}");
      return new Promise((resolve) => {
        socket.onopen = () => resolve("open");
        socket.onerror = () => resolve("refused");
      });
    })()`);
    expect([stolen, [...reached]]).toEqual(["refused", []]);
  });
});
