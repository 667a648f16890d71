/** Pages that hide their referrer, in a real Chromium: each kind of request to another domain finds the session. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiOf, type Service, startService, startWorker } from "../integration/worker/world.ts";

const CHROMIUM = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
/** Kinds of requests that a page makes to another domain. */
const KINDS = ["image", "script", "style", "frame", "cors-fetch", "no-cors-fetch", "form"];

describe.skipIf(!existsSync(CHROMIUM))("in Chromium", () => {
  let worker: Awaited<ReturnType<typeof startWorker>>;
  let web: Service;
  let api: Service;
  let browser: BrowserContext;
  let home: string;
  let port: string;
  /** Kinds of requests that reached the other domain's service, and what it saw of cookies. */
  let reached = new Set<string>();
  let cookies: (string | undefined)[] = [];
  let policy = "";

  beforeAll(async () => {
    web = await startService("web", (request, response) => {
      cookies.push(request.headers.cookie);
      response.writeHead(200, {
        "content-type": "text/html",
        ...(policy ? { "referrer-policy": policy } : {}),
      });
      response.end(request.url === "/page" ? page() : "<p>web</p>");
    });
    api = await startService("api", (request, response) => {
      reached.add(request.url!.slice(1).split("?")[0]!);
      cookies.push(request.headers.cookie);
      const types: Record<string, string> = { "/script": "text/javascript", "/style": "text/css" };
      response.writeHead(200, { "content-type": types[request.url!] ?? "text/html" }).end("");
    });
    worker = await startWorker();
    ({ port } = new URL(worker.url));
    for (const [name, more] of [
      ["slim-gecko", {}],
      ["calm-otter", {}],
      ["no-cookie", { session_cookie: false }],
    ] as const) {
      const created = await apiOf(worker.url)("POST", "/linkup/v2/sessions/preview", {
        services: [
          { name: "web", location: web.url },
          { name: "api", location: api.url },
        ],
        domains: [
          { domain: "a.test", default_service: "web" },
          { domain: "b.test", default_service: "api" },
        ],
        desired_name: name,
        session_token: "t",
        ...more,
      });
      expect(created.status).toBe(200);
    }
    home = mkdtempSync(join(tmpdir(), "linkup-browser-"));
    browser = await chromium.launchPersistentContext(home, {
      executablePath: CHROMIUM,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        "--disable-features=LocalNetworkAccessChecks,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
        "--host-resolver-rules=MAP *.test 127.0.0.1",
      ],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await worker?.stop();
    await Promise.all([web?.stop(), api?.stop()]);
    rmSync(home, { recursive: true, force: true });
  });

  function page(): string {
    const other = `http://b.test:${port}`;
    return `<!doctype html>
<img src="${other}/image"><script src="${other}/script"></script><link rel="stylesheet" href="${other}/style">
<iframe src="${other}/frame"></iframe><iframe name="target"></iframe>
<form method="post" action="${other}/form" target="target"></form>
<script>
  fetch("${other}/cors-fetch").catch(() => {});
  fetch("${other}/no-cors-fetch", { mode: "no-cors" }).catch(() => {});
  document.forms[0].submit();
</script>`;
  }

  async function visit(url: string): Promise<number | undefined> {
    const tab = await browser.newPage();
    try {
      return (await tab.goto(url, { waitUntil: "load" }))?.status();
    } finally {
      await tab.close();
    }
  }

  test.each(["no-referrer", "same-origin", "strict-origin-when-cross-origin", ""])(
    "Referrer-Policy: %s",
    async (value) => {
      policy = value;
      reached = new Set();
      const tab = await browser.newPage();
      await tab.goto(`http://slim-gecko.a.test:${port}/page`, { waitUntil: "load" });
      await expect.poll(() => [...reached].sort(), { timeout: 20_000 }).toEqual([...KINDS].sort());
      await tab.close();
    },
  );

  test("a fixed host, as of an OAuth callback, finds the session of the page visited last", async () => {
    policy = "";
    await browser.clearCookies();
    expect(await visit(`http://a.test:${port}/callback`)).toBe(422);
    await visit(`http://slim-gecko.a.test:${port}/`);
    cookies = [];
    expect(await visit(`http://a.test:${port}/callback`)).toBe(200);
    expect(new Set(cookies)).toEqual(new Set([undefined]));
    await visit(`http://calm-otter.a.test:${port}/`);
    const [cookie] = await browser.cookies(`http://a.test:${port}/`);
    expect(cookie).toMatchObject({
      name: "linkup-session",
      value: "calm-otter",
      httpOnly: true,
      sameSite: "Lax",
    });
  });

  test("a session that wants no cookie sets none", async () => {
    await browser.clearCookies();
    await visit(`http://no-cookie.a.test:${port}/`);
    expect(await browser.cookies(`http://a.test:${port}/`)).toEqual([]);
    expect(await visit(`http://a.test:${port}/callback`)).toBe(422);
  });
});
