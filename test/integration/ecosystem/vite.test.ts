/**
 * Vite as the local copy of a service: what engineers do all day, edit and see. Its hot updates come over a WebSocket
 * of the session, so pages keep what they hold; it may end and start again under an open page.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { newContext } from "../../e2e/browser.ts";
import { systemPackages } from "../../e2e/install.ts";
import { reservedPort } from "../../support/ports.ts";
import { until, World } from "../manager/world.ts";

const skip = process.env.LINKUP_SKIP_E2E === "1";
if (skip) console.error("!! LINKUP_SKIP_E2E=1: VITE IS NOT TESTED IN A REAL BROWSER");

/** A page of one module that shows what another one exports, and takes that one anew without a reload. */
const PAGE = {
  "index.html": `<!doctype html><p id="text"></p><script type="module" src="/main.js"></script>`,
  "main.js": `import { text } from "./text.js";
const show = (text) => { document.querySelector("#text").textContent = text; };
show(text);
import.meta.hot.accept("./text.js", (changed) => show(changed.text));
`,
};

/** Vite's own command in a new folder with such a page, on a port that it keeps when it is started again. */
class Vite {
  readonly folder: string;
  readonly port: number;
  #process: ChildProcess | undefined;

  constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    mkdirSync(folder);
    for (const [name, content] of Object.entries(PAGE)) writeFileSync(join(this.folder, name), content);
  }

  edit(text: string): void {
    writeFileSync(join(this.folder, "text.js"), `export const text = ${JSON.stringify(text)};\n`);
  }

  async start(): Promise<void> {
    const vite = join(import.meta.dirname, "../../../node_modules/vite/bin/vite.js");
    // Vite as it comes: on `localhost`, and no other host is allowed.
    const child = spawn(process.execPath, [vite, "--port", String(this.port), "--strictPort"], {
      cwd: this.folder,
      env: { PATH: process.env.PATH, HOME: this.folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
    await until("Vite listens", () => {
      if (child.exitCode !== null) throw new Error(`Vite ended with ${child.exitCode}:\n${said}`);
      return said.includes(`:${this.port}/`);
    });
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}

describe.skipIf(skip)("Vite", () => {
  let world: World;
  let deployed: Server;
  let vite: Vite;
  let context: BrowserContext;

  beforeAll(async () => {
    await systemPackages(true);
    world = await World.create();
    deployed = createServer((_request, response) => {
      response.setHeader("content-type", "text/html").end(`<p id="text">deployed</p>`);
    });
    deployed.listen(0, "127.0.0.1");
    await once(deployed, "listening");
    vite = new Vite(join(world.folder, "page"), await reservedPort());
    context = await newContext(world.folder, { width: 800, height: 600 });
  });

  afterEach(async () => {
    for (const page of context.pages()) await page.close();
    await vite.stop();
  });

  afterAll(async () => {
    await context?.browser()?.close();
    deployed?.close();
    await world?.[Symbol.asyncDispose]();
  });

  /** A linkup.yaml of a folder of its own; returns its path. */
  function config(name: string): string {
    const folder = join(world.folder, name);
    mkdirSync(folder);
    const path = join(folder, "linkup.yaml");
    writeFileSync(
      path,
      `linkup:
  worker_url: http://127.0.0.1:${world.workerPort}
services:
  - name: web
    remote: http://127.0.0.1:${(deployed.address() as AddressInfo).port}
    local: http://localhost:${vite.port}
domains:
  - domain: shop.localhost
    default_service: web
`,
    );
    return path;
  }

  test.each([
    { kind: "tunneled", options: [] },
    { kind: "isolated", options: ["--isolated"] },
  ])("in a $kind session", async ({ kind, options }) => {
    const file = ["--config", config(kind)];
    const { urls } = await world.json<{ urls: string[] }>("start", ...file, ...options, "--detach");
    const url = urls[0]!;
    const page = await context.newPage();
    const sockets: string[] = [];
    const connected = countMessages(page, "[vite] connected.");
    page.on("websocket", (socket) => sockets.push(socket.url()));
    const shows = (text: string) => page.locator("#text", { hasText: new RegExp(`^${text}$`) }).waitFor();
    const route = async (target: string) => {
      expect((await world.linkup("route", target, "web", ...file)).code).toBe(0);
    };

    vite.edit("first");
    await vite.start();
    await page.goto(url);
    await shows("deployed");
    await route("local");
    await page.reload();
    await shows("first");

    await until("Vite's WebSocket", () => connected() === 1);
    expect(new URL(sockets[0]!).host).toBe(new URL(url).host);
    await page.evaluate("window.kept = 'as it was'");
    vite.edit("second");
    await shows("second");
    expect(await page.evaluate("window.kept"), "the page was not reloaded").toBe("as it was");

    await vite.stop();
    const { hostname, port } = new URL(url);
    const ask = () => world.ask(hostname, "/", Number(port));
    const down = await ask();
    expect(down.status).toBe(502);
    expect(down.body).toContain(`http://localhost:${vite.port}`);
    vite.edit("third");
    await vite.start();
    // Vite's client notices by itself that there is a server again, and reloads.
    await shows("third");
    await until("Vite's WebSocket, again", () => connected() === 2);
    vite.edit("fourth");
    await shows("fourth");

    // A toggle under an open page.
    await route("remote");
    expect((await ask()).body).toContain("deployed");
    await route("local");
    vite.edit("fifth");
    await shows("fifth");

    expect((await world.linkup("stop", ...file)).code).toBe(0);
  });
});

/** Counts the page's console messages with this text. */
function countMessages(page: Page, text: string): () => number {
  let count = 0;
  page.on("console", (message) => {
    if (message.text() === text) count++;
  });
  return () => count;
}
