// What users will meet: each failure says what happened and where, and offers one button that helps.
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startWorker } from "../../scripts/embedded-worker.mjs";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import type { Workbench, WorkbenchOptions } from "./workbench.ts";

let shop: Shop;
let window: Workbench;

async function stop(): Promise<void> {
  await window?.stop();
  await shop?.stop();
}

async function open(options: WorkbenchOptions = {}): Promise<void> {
  window = await shop.open(options);
}

async function start(): Promise<string> {
  await window.command("Linkup: Start");
  return await running();
}

/** The running session's name, read from the status bar. */
async function running(): Promise<string> {
  return await window.until("the running session in the status bar", async () => {
    const text = (await window.statusBar("session"))?.text;
    return /^\$\(link\) ([a-z]+-[a-z]+|[a-z\d]{6})$/.exec(text ?? "")?.[1];
  });
}

const toast = (pattern: RegExp) => window.toast(pattern);

/** None comes in this time: nothing else shows that something does not happen. */
async function noToastFor(ms: number, ...windows: Workbench[]): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; )
    for (const each of windows) expect(await each.toasts()).toEqual([]);
}

const inTree = (text: string | RegExp) => window.inTree(text);

describe("in a separate window", () => {
  beforeEach(async () => {
    shop = await Shop.start();
  });
  afterEach(stop);

  test("no token: the button asks for it, secret storage keeps it, and the session starts", async () => {
    await open({ env: {} });
    await window.command("Linkup: Start");
    const said = await toast(/needs a token/);
    expect(said).toContain(shop.worker.url);
    expect(said).toContain("[Set Worker Token…]");
    await window.screenshot("failure-no-token");
    await window.button("Set Worker Token…");
    await window.quickInput(TOKEN);
    await toast(/is stored/);
    await window.button("Start");
    const name = await running();
    expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
  });

  test("a wrong token: the button asks for the right one, which wins over the environment", async () => {
    await open({ env: { LINKUP_WORKER_TOKEN: "wrong" } });
    await window.command("Linkup: Start");
    expect(await toast(/does not accept the token/)).toContain("[Set Worker Token…]");
    await inTree("The Worker refused the token");
    await window.screenshot("failure-wrong-token");
    await window.button("Set Worker Token…");
    await window.quickInput(TOKEN);
    const name = await running();
    expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
  });

  test("an unreachable Worker is named by its address, and the button tries again", async () => {
    const port = shop.workerPort;
    await shop.worker.stop();
    await open();
    await window.command("Linkup: Start");
    const said = await toast(/cannot be reached/);
    expect(said).toContain(`127.0.0.1:${port}`);
    expect(said).toContain("[Try Again]");
    await inTree("shop  failed");
    await window.screenshot("failure-worker-unreachable");
    const worker = await startWorker({ port, token: TOKEN });
    try {
      await window.button("Try Again");
      await running();
    } finally {
      await window.stop();
      await worker.stop();
    }
  });

  test("the Worker is too old: its row says so, and the button updates it", async () => {
    const port = shop.workerPort;
    const bundle = join(shop.folder, "..", "old-worker.js");
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    const text = await readFile(join(root, "dist", "worker.js"), "utf8");
    await writeFile(bundle, text.replaceAll(`"${version}"`, '"0.0.9"'));
    await shop.worker.stop();
    const worker = await startWorker({ port, token: TOKEN, bundle });
    try {
      await open();
      const name = await start();
      expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
      await inTree("▾ Components  Worker outdated");
      await inTree(`Worker  ready · outdated · http://127.0.0.1:${port}, version 0.0.9`);
      await window.screenshot("failure-worker-outdated");
      await window.inlineAction("Worker", "Update Worker…");
      await window.until("the question for a Cloudflare token", () =>
        window.page
          .locator(".quick-input-widget:visible", { hasText: "The Cloudflare API token." })
          .isVisible(),
      );
      await window.press("Escape");
    } finally {
      await window.stop();
      await worker.stop();
    }
  });

  test("the port is taken: the session says where it is now, and the button copies that", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    try {
      await open();
      await writeFile(join(window.server.folder, "state", "browser-port"), `${port}\n`);
      await window.command("Linkup: Start Isolated");
      const name = await running();
      const said = await toast(/is used by another program/);
      expect(said).toContain(`Port ${port}`);
      expect(said).toContain("[Copy Session URL]");
      await inTree("The session has moved to another port");
      await window.screenshot("failure-port-taken");
      await window.button("Copy Session URL");
      await window.until("the domains", async () => (await window.quickPickItems()).length === 2);
      await window.press("Enter");
      const copied = await window.until(
        "the URL in the clipboard",
        async () => (await window.clipboard()).includes(name) && (await window.clipboard()),
      );
      const url = new URL(copied);
      expect(Number(url.port)).not.toBe(port);
      expect(said).toContain(url.origin);
      expect((await shop.ask(url.hostname, "/", {}, Number(url.port))).by).toBe("remote web");
    } finally {
      holder.close();
    }
  });
});

describe("in a window that is used again, each with a session of its own", () => {
  beforeAll(async () => {
    shop = await Shop.start();
    await open();
  });
  beforeEach(async () => {
    await window.stopped();
    await window.command("Notifications: Clear All Notifications");
  });
  afterEach(() => window.stopSession());
  afterAll(stop);

  test("the file is broken while the session runs: it says so, changes nothing, and recovers", async () => {
    const name = await start();
    const text = await readFile(shop.configPath, "utf8");
    await writeFile(shop.configPath, text.replace("default_service: web", "default_service: wbe"));
    const said = await toast(/There is no service "wbe"/);
    expect(said).toContain("[Open linkup.yaml]");
    await inTree(/linkup.yaml has errors {2}.*wbe/);
    expect((await window.statusBar("session"))?.text).toBe(`$(link) ${name} $(warning)`);
    await window.screenshot("failure-file-broken");
    // Nobody has opened the file.
    await window.until("the problem in the Problems panel", async () =>
      (await window.problems()).some((line) => line.includes("wbe")),
    );
    // A window on another folder is not bothered.
    const other = await window.openWindow([await shop.another("blog")]);
    await other.showView();
    await other.until("the session of the other window", async () => (await other.tree()).includes(name));
    await noToastFor(4_000, other);
    await other.closePage();
    expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
    await window.button("Open linkup.yaml");
    const problems = await window.until("the problem in the editor", async () => {
      const lines = await window.problems();
      return lines.some((line) => line.includes("wbe")) && lines;
    });
    expect(problems.join("\n")).toContain('Did you mean "web"?');
    // It is not told again after a reload.
    await window.reload("page");
    await inTree(/linkup.yaml has errors {2}.*wbe/);
    await noToastFor(4_000, window);
    await writeFile(shop.configPath, text.replace("path: ^/auth/.*", "path: ^/login/.*"));
    await window.until("the errors to be gone", async () => !(await window.tree()).includes("errors"));
    // The saved change has reached the running session.
    await window.until("the changed route to be followed", async () =>
      (await shop.ask(`${name}.shop.localhost`, "/auth/whoami")).by.endsWith("web"),
    );
    // Another trouble is told, and withdrawn with its cause.
    await writeFile(shop.configPath, text.replace("default_service: web", "default_service: nope"));
    await toast(/There is no service "nope"/);
    await writeFile(shop.configPath, text);
    await window.until("no notification", async () => (await window.toasts()).length === 0);
  });

  test("the local server dies: it is back by itself, and the session goes on", async () => {
    const name = await start();
    await window.inlineAction("web", "Route to Local");
    await inTree("web  local");
    const servers = () => window.processes().filter(({ command }) => command.includes("local-server.js"));
    const [server] = servers();
    process.kill(server!.pid, "SIGKILL");
    await window.until("a new local server", () => servers().some(({ pid }) => pid !== server!.pid));
    await window.until(
      "the session to be served",
      async () => (await shop.ask(`${name}.shop.localhost`, "/")).by === "local web",
    );
  });

  test("Restart on the local server's row: another process serves the session", async () => {
    const name = await start();
    await window.expand("Components", "Local server");
    const pidIn = async () => /Local server {2}ready · pid (\d+)/.exec(await window.tree())?.[1];
    const before = await window.until("the local server", pidIn);
    await window.inlineAction("Local server", "Restart");
    await window.until("another local server", async () => {
      const pid = await pidIn();
      return pid !== undefined && pid !== before;
    });
    expect(window.processes().some(({ pid }) => pid === Number(before))).toBe(false);
    await window.inlineAction("web", "Route to Local");
    await inTree("web  local");
    expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("local web");
    expect(await window.toasts()).toEqual([]);
    await window.row("Local server").hover();
    await window.page.locator(".monaco-hover", { hasText: "up for less than a minute" }).waitFor();
  });

  test("a local service that is down: its row says so, and one click routes it to the remote copy", async () => {
    const name = await start();
    await shop.stopLocal();
    await window.inlineAction("api", "Route to Local");
    await inTree(/api {2}local · unhealthy · localhost:\d+/);
    expect((await window.statusBar("session"))?.text).toBe(`$(link) ${name} · 1 local $(warning) 1`);
    await window.screenshot("failure-service-down");
    const answer = await shop.ask(`${name}.api.shop.localhost`, "/api/whoami");
    expect(answer.status).toBe(502);
    await window.inlineAction("api", "Route to Remote");
    await inTree(`api  remote · 127.0.0.1:${shop.remote.api}`);
    await window.until(
      "health again",
      async () => (await window.statusBar("session"))?.text === `$(link) ${name}`,
    );
  });
});
