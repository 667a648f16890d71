/** What sessions live from, asked of each framework: on this machine, through the Worker, and through it as it is deployed. */
import { existsSync } from "node:fs";
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newContext } from "../e2e/browser.ts";
import { CHROMIUM } from "../support/chromium.ts";
import { reservedPort } from "../support/ports.ts";
import { type App, PYTHON, startApp } from "./app.ts";
import { Chain, DOMAIN, WAYS } from "./chain.ts";
import { BUNDLERS, type Framework, NODE_SERVERS, PYTHON_SERVERS } from "./frameworks.ts";

if (!existsSync(CHROMIUM))
  console.error(`SKIPPED: hot updates, because there is no ${CHROMIUM} (apt-get install chromium)`);

const ALL = [...NODE_SERVERS, ...PYTHON_SERVERS, ...BUNDLERS];
let chain: Chain;
const ports = new Map<string, number>();

beforeAll(async () => {
  for (const { name } of ALL) ports.set(name, await reservedPort());
  chain = await Chain.start(
    Object.fromEntries(ALL.map(({ name }) => [name, `http://localhost:${ports.get(name)}`])),
  );
});
afterAll(() => chain?.stop());

for (const framework of [...NODE_SERVERS, ...BUNDLERS]) describe(framework.name, () => questions(framework));
for (const framework of PYTHON_SERVERS) describe.skipIf(!PYTHON)(framework.name, () => questions(framework));

function questions(framework: Framework): void {
  const { name, asset = "/asset", ready = "/page", hot } = framework;
  let app: App;
  beforeAll(async () => {
    app = await startApp(name, ports.get(name)!, framework);
  });
  afterAll(() => app?.stop());

  describe.each(WAYS)("%s", (way) => {
    const ask = (path: string, options = {}) => chain.ask(way, name, path, options);

    test("the page", async () => {
      const { status, body } = await ask(ready, { headers: { accept: "text/html" } });
      expect([status, body]).toEqual([200, expect.stringContaining(`served by ${name}`)]);
    });

    if (!framework.noEtag)
      test("an asset is sent once, then 304 with no byte", async () => {
        const first = await ask(asset);
        expect(first.status).toBe(200);
        expect(first.body.length).toBeGreaterThan(0);
        const second = await ask(asset, { headers: { "if-none-match": first.headers.etag! } });
        expect([second.status, second.body]).toEqual([304, ""]);
      });

    test("CORS with credentials, between two domains of the session", async () => {
      const origin = chain.origin(way, name === "express" ? "fastify" : "express");
      const path = framework.filesOnly ? asset : "/json";
      const headers = { origin, cookie: "a=1" };
      const preflight = await ask(path, {
        method: "OPTIONS",
        headers: {
          origin,
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type,x-csrf",
        },
      });
      expect([preflight.status, preflight.body], JSON.stringify(preflight.headers)).toEqual([
        expect.toSatisfy((status) => status === 200 || status === 204),
        expect.anything(),
      ]);
      expect(preflight.lines("access-control-allow-methods").join()).toMatch(/\bPOST\b|^\*$/);
      expect(preflight.lines("access-control-allow-headers").join().toLowerCase()).toContain("x-csrf");
      for (const answer of [preflight, await ask(path, { headers })]) {
        expect(answer.lines("access-control-allow-origin")).toEqual([origin]);
        expect(answer.lines("access-control-allow-credentials")).toEqual(["true"]);
        expect(answer.lines("vary").join()).toMatch(/\borigin\b/i);
      }
    });

    if (hot)
      test("its script on a page of another domain of the session", async () => {
        const { body } = await ask(ready);
        const script = /(?:src|href|import)="(\/[^"]+\.(?:m?js|tsx|svelte)[^"]*)"/.exec(body)?.[1] ?? asset;
        const { status } = await ask(script, {
          headers: {
            referer: `${chain.origin(way, "express")}/page`,
            "sec-fetch-dest": "script",
            "sec-fetch-mode": "no-cors",
            "sec-fetch-site": "cross-site",
          },
        });
        expect([script, status]).toEqual([expect.anything(), 200]);
      });

    if (!framework.filesOnly)
      describe("its handlers", () => {
        test.each(["/redirect", "/redirect/absolute"])("%s stays in the session", async (path) => {
          const { status, headers } = await ask(path);
          expect(status).toBeGreaterThanOrEqual(301);
          expect(status).toBeLessThanOrEqual(308);
          const origin = chain.origin(way, name);
          expect(new URL(headers.location!, origin).href).toBe(`${origin}/page`);
        });

        test("cookies that it sets: each on its line, with its domain and date", async () => {
          const { status, lines } = await ask("/cookies");
          const set = lines("set-cookie").filter((line) => !line.startsWith("linkup-session="));
          expect([status, set]).toEqual([
            200,
            [
              expect.stringMatching(/^plain=1/),
              expect.stringMatching(new RegExp(`^shared=2.*domain=\\.?${DOMAIN}`, "i")),
              expect.stringMatching(/^dated=3.*Wed, 02 Jan 2030 03:04:05 GMT/),
            ],
          ]);
        });

        test("cookies that it gets, with commas in names and values", async () => {
          const { body } = await ask("/cookie", { headers: { cookie: "a=1,2; b,c=3" } });
          expect(body).toBe("a=1,2; b,c=3");
        });

        test("a form passes its checks of Origin and Referer", async () => {
          const origin = chain.origin(way, name);
          const page = await ask("/page");
          const token = /id='csrf'>(\w+)/.exec(page.body)?.[1];
          const cookie = page.lines("set-cookie").map((line) => line.split(";")[0]);
          const { status, body } = await ask("/form", {
            method: "POST",
            headers: {
              origin,
              referer: `${origin}/page`,
              cookie: cookie.join("; "),
              "content-type": "application/x-www-form-urlencoded",
              "sec-fetch-site": "same-origin",
            },
            body: `name=Ada${token ? `&csrfmiddlewaretoken=${token}` : ""}`,
          });
          expect([status, body]).toEqual([200, expect.stringContaining("Ada")]);
        });

        test("server-sent events arrive when they are sent", async () => {
          const response = await chain.open(way, name, "/stream");
          const events = response.setEncoding("utf8")[Symbol.asyncIterator]();
          expect((await events.next()).value).toBe("data: first\n\n");
          // The next one is sent only after the first has arrived.
          expect((await ask("/release")).body).toBe("released");
          let rest = "";
          for await (const part of { [Symbol.asyncIterator]: () => events }) rest += part;
          expect(rest).toBe("data: second\n\n");
        });
      });
  });

  if (hot)
    describe.skipIf(!existsSync(CHROMIUM))("in Chromium", () => {
      let browser: BrowserContext;
      beforeAll(async () => {
        browser = await newContext(app.folder, { width: 800, height: 600 }, [
          `--host-resolver-rules=MAP *.${DOMAIN} 127.0.0.1`,
        ]);
      });
      afterAll(() => browser?.browser()?.close());

      test.each(WAYS)("%s: a change shows without a reload", async (way) => {
        const page = await browser.newPage();
        const seen: string[] = [];
        page.on("response", (response) => {
          if (response.status() >= 400 && !response.url().endsWith("/favicon.ico"))
            seen.push(`${response.status()} ${response.url()}`);
        });
        page.on("pageerror", ({ message }) => seen.push(message));
        const opened = page.waitForEvent("websocket");
        await page.goto(`${chain.origin(way, name)}${ready}`, { waitUntil: "networkidle" });
        expect(new URL((await opened).url()).host).toBe(chain.host(way, name));
        await page.evaluate("window.kept = true");
        app.write(hot!.file, hot!.change(`changed ${way}`));
        const changed = page.locator("#text", { hasText: `changed ${way}` });
        await changed.waitFor({ timeout: 20_000 }).catch(({ message }) => seen.push(message));
        // Astro reloads its pages with each change.
        if (name !== "astro") expect(await page.evaluate("window.kept")).toBe(true);
        expect(seen).toEqual([]);
        await page.close();
      });

      if (name === "next")
        test.each(WAYS)("%s: a Server Action passes its check of Origin", async (way) => {
          const page = await browser.newPage();
          await page.goto(`${chain.origin(way, name)}/action`, { waitUntil: "networkidle" });
          await page.getByRole("button").click();
          await page.locator("#greeting", { hasText: "Hello Ada" }).waitFor({ timeout: 20_000 });
          await page.close();
        });
    });
}
