// The operators' page in Chromium, by keyboard, behind TLS as at the edge: against the Worker as it is deployed.

import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAuthority, issueLeaf } from "../../core/certificates/certificate-authority.ts";
import { Internet } from "../integration/worker/internet.ts";
import { type Api, apiOf, oneService, type startWorker, TOKEN } from "../integration/worker/world.ts";
import { axeViolationsOfSchemes } from "./axe.ts";
import { newContext } from "./browser.ts";
import { root } from "./install.ts";

const HOST = "linkup.example.com";
const SESSIONS = 10_000;

let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let api: Api;
let edge: Server;
let context: BrowserContext;
let page: Page;
let folder: string;

beforeAll(async () => {
  internet = await new Internet().start();
  folder = await mkdtemp(join(tmpdir(), "linkup-operators-"));
  worker = await internet.startWorker({}, folder);
  api = apiOf(worker.url);
  await api("GET", "/linkup/v2/sessions");
  await worker.stop();
  await listSessions();
  worker = await internet.startWorker({}, folder);
  api = apiOf(worker.url);
  for (const desired_name of ["s-00001", "s-09876"])
    await api("POST", "/linkup/v2/sessions/preview", {
      ...oneService("https://web.example.org"),
      desired_name,
    });
  const authority = await createAuthority(["example.com"], Date.now());
  const leaf = await issueLeaf(authority, "example.com", Date.now());
  // Cloudflare's edge: it ends TLS, and says who asks.
  edge = createServer({ cert: leaf.certificate, key: leaf.key }, (incoming, response) => {
    const { hostname, port } = new URL(worker.url);
    const headers = { ...incoming.headers, "cf-connecting-ip": "192.0.2.1", "x-forwarded-proto": "https" };
    const { method, url: path } = incoming;
    const onward = request({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  edge.listen(0, "127.0.0.1");
  await once(edge, "listening");
  const { port } = edge.address() as AddressInfo;
  context = await newContext("operators", { width: 1400, height: 900 }, [
    `--host-resolver-rules=MAP *.example.com:443 127.0.0.1:${port}`,
    "--ignore-certificate-errors",
  ]);
  page = await context.newPage();
});
/** Writes sessions into the directory that no client has made: 10,000 calls would take two minutes. */
async function listSessions(): Promise<void> {
  const objects = join(folder, "linkup-directory");
  const file = (await readdir(objects)).find((name) => /^[0-9a-f]+\.sqlite$/.test(name))!;
  const database = new DatabaseSync(join(objects, file));
  const insert = database.prepare("INSERT INTO sessions VALUES (?, 'preview', ?, ?, ?)");
  const now = Date.now();
  database.exec("BEGIN");
  for (let n = 0; n < SESSIONS; n++)
    insert.run(`s-${String(n).padStart(5, "0")}`, now - n * 60_000, now - n * 30_000, now + 86_400_000 * 30);
  const entry = database.prepare(
    "INSERT INTO audit (at, action, subject, role, token) VALUES (?, 'created', ?, 'named', 'ci')",
  );
  for (let n = 150; n > 0; n--) entry.run(now - n * 60_000, `s-${String(n).padStart(5, "0")}`);
  database.exec("COMMIT");
  database.close();
}

afterAll(async () => {
  await context?.browser()?.close();
  edge?.closeAllConnections();
  edge?.close();
  await worker?.stop();
  await internet?.stop();
  await rm(folder, { recursive: true });
});

/** Into docs/images with LINKUP_PICTURES=1, else to look at after a failure. */
async function screenshot(name: string): Promise<void> {
  const folder = process.env.LINKUP_PICTURES ? "docs/images" : "test-results";
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(root, folder, `${name}-${colorScheme}.png`), animations: "disabled" });
  }
  await page.emulateMedia({ colorScheme: "light" });
}

const heading = () => page.locator("h1").textContent();
const note = () => page.locator("[role=status]").textContent();
/** Presses Tab until this is focused, as who has no mouse does. */
async function tabTo(name: string): Promise<void> {
  const focused = () =>
    page.evaluate<string>(
      "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()",
    );
  for (let n = 0; n < 60; n++) {
    await page.keyboard.press("Tab");
    if ((await focused()) === name) return;
  }
  throw new Error(`Tab does not reach ${name}`);
}

test("an operator logs in, finds a session among 10,000, extends and deletes it, all by keyboard", async () => {
  await page.goto(`https://${HOST}/linkup/`);
  expect(await axeViolationsOfSchemes(page)).toEqual([]);
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  expect(await page.getByRole("alert").textContent()).toBe("The Worker does not accept this token.");
  expect(await axeViolationsOfSchemes(page)).toEqual([]);
  await screenshot("operators-login");
  await page.keyboard.type(TOKEN);
  await page.keyboard.press("Enter");
  await page.getByRole("table").waitFor();
  expect(await heading()).toBe("Sessions");
  expect(await page.locator("caption").textContent()).toBe(`100 of ${SESSIONS} sessions`);
  expect(await page.evaluate("document.cookie")).toBe("");
  expect(await axeViolationsOfSchemes(page)).toEqual([]);
  await screenshot("operators-sessions");

  const before = performance.now();
  await tabTo("Next page");
  await page.keyboard.press("Enter");
  await page.waitForURL(/after=s-00099/);
  expect(performance.now() - before).toBeLessThan(10_000);
  expect(await page.locator("tbody th").first().textContent()).toBe("s-00100");

  await tabTo("Name contains");
  await page.keyboard.type("09876");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=09876/);
  expect(await page.locator("tbody th").allTextContents()).toEqual(["s-09876"]);
  await tabTo("s-09876");
  await page.keyboard.press("Enter");
  await page.waitForURL(/sessions\/s-09876/);
  expect(await axeViolationsOfSchemes(page)).toEqual([]);
  await tabTo("Expires, from now");
  await page.keyboard.press("ArrowDown");
  await tabTo("Extend");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=extended/);
  expect(await note()).toBe("Extended s-09876.");
  expect(await page.evaluate("document.activeElement.role")).toBe("status");
  const { expires } = (await api("GET", "/linkup/v2/sessions/s-09876")).json() as { expires: number };
  expect((expires - Date.now()) / 86_400_000).toBeCloseTo(30, 1);
  await screenshot("operators-session");

  await tabTo("Delete…");
  await page.keyboard.press("Enter");
  await tabTo("Delete s-09876");
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=deleted/);
  expect(await note()).toBe("Deleted s-09876.");
  expect(await page.locator("caption").textContent()).toBe(`100 of ${SESSIONS - 1} sessions`);
  expect((await api("GET", "/linkup/v2/sessions/s-09876")).status).toBe(404);
});

test("tokens, the audit log and limits", async () => {
  await page.getByRole("link", { name: "Tokens" }).click();
  await page.getByLabel("Name of a new token").fill("ci");
  await page.keyboard.press("Enter");
  await page.getByRole("status").waitFor();
  const token = /linkup_[0-9a-f]{64}/.exec((await note()) ?? "")![0];
  expect((await apiOf(worker.url, token)("GET", "/linkup/check")).status).toBe(200);
  expect(await axeViolationsOfSchemes(page)).toEqual([]);
  await page.getByText("Revoke ci…").click();
  await page.getByRole("button", { name: "Revoke ci now" }).click();
  await page.waitForURL(/done=revoked/);
  expect((await apiOf(worker.url, token)("GET", "/linkup/check")).status).toBe(401);

  await page.getByRole("link", { name: "Audit" }).click();
  expect(await page.locator("tbody tr").first().textContent()).toMatch(/token-revoked\s*ci\s*main token/);
  expect(await axeViolationsOfSchemes(page)).toEqual([]);
  await screenshot("operators-audit");
  await page.getByRole("link", { name: "Older" }).click();
  await page.waitForURL(/skip=100/);

  await page.getByRole("link", { name: "Worker", exact: true }).click();
  expect(await page.locator("dl").textContent()).toContain("60 for each address and minute");
  expect(await axeViolationsOfSchemes(page)).toEqual([]);
  await page.setViewportSize({ width: 360, height: 700 });
  for (const path of ["", "tokens", "audit", "about"]) {
    await page.goto(`https://${HOST}/linkup/${path}`);
    const overflow = await page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    expect([path, overflow]).toEqual([path, 0]);
    expect(await axeViolationsOfSchemes(page)).toEqual([]);
  }
});

test("a page of a session, which is same-site, can do nothing with the login", async () => {
  await page.goto(`https://${HOST}/linkup/`);
  await page.route("https://evil.example.com/", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<form method="post" action="https://${HOST}/linkup/sessions/s-00001/delete"><button>Win a prize</button></form>`,
    }),
  );
  await page.goto("https://evil.example.com/");
  await page.getByRole("button").click();
  await page.waitForURL(/linkup\/sessions/);
  expect(await heading()).toBe("Not sent from here");
  expect((await api("GET", "/linkup/v2/sessions/s-00001")).status).toBe(200);
  await page.goto("https://evil.example.com/");
  const read = await page.evaluate(
    `fetch("https://${HOST}/linkup/", { credentials: "include" }).then((answer) => answer.text(), ({ message }) => message)`,
  );
  expect(read).toBe("Failed to fetch");

  await page.goto(`https://${HOST}/linkup/`);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel(/Worker token/).waitFor();
  expect(await context.cookies()).toEqual([]);
});
