// What each view, row and state offers, and the commands that are run from there alone.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ran } from "./commands-run.ts";
import { node } from "./install.ts";
import { Shop } from "./shop.ts";
import type { Workbench, WorkbenchOptions } from "./workbench.ts";

/** Buttons follow a change of state a moment later. */
const POLL = { timeout: 20_000 };
let shop: Shop;
let window: Workbench;

async function stop(): Promise<void> {
  await window?.stop();
  await shop?.stop();
}

async function open(options: WorkbenchOptions = {}): Promise<void> {
  window = await shop.open(options);
}
const welcome = (text: string) =>
  window.until(`a welcome with "${text}"`, async () =>
    (await window.page.locator(".welcome-view-content").textContent())?.includes(text),
  );
const inTree = (pattern: RegExp) => window.inTree(pattern);

describe("in a window that is used again", () => {
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

  test("the view, its rows and the palette offer what applies, and every inline button is in a menu too", async () => {
    await welcome("stopped");
    await expect.poll(() => window.viewActions(), POLL).toEqual(["Start"]);
    const always = [
      "Show Status",
      "Show Requests",
      "Doctor",
      "Show Logs",
      "Open linkup.yaml",
      "Set Worker Token…",
    ];
    const beside = ["Create Preview Session…", "Create Isolated Session…", "Join Session…"];
    expect(await window.viewMenu()).toEqual(["Start Private", "Start Isolated", ...beside, ...always]);
    expect(await window.palette("Linkup: St")).not.toContain("Linkup: Stop");

    await window.command("Linkup: Start");
    const [, name] = await inTree(/▾ ([a-z]+-[a-z]+) {2}0 of 3 local/);
    const session = ["Open Session in Browser", "Copy Session URL"];
    const all = ["Route All to Local", "Route All to Remote", "Route All to Auto"];
    await expect.poll(() => window.viewActions(), POLL).toEqual(session);
    expect(await window.viewMenu()).toEqual([
      "Restart",
      "Stop",
      ...beside,
      "Route Service…",
      ...all,
      "Explain Request…",
      ...always,
    ]);
    expect(await window.palette("Linkup: St")).toContain("Linkup: Stop");
    // VS Code finds other titles with these letters, too.
    const routes = (await window.palette("Linkup: Route")).filter((each) => each.startsWith("Linkup: Route"));
    expect(routes.sort()).toEqual(
      [...all, "Route Service…", "Route Service to…"]
        .filter((each) => each !== "Route All to Remote")
        .map((each) => `Linkup: ${each}`)
        .sort(),
    );
    const url = `http://${name}.shop.localhost:${shop.workerPort}`;
    const domain = "shop.localhost";
    await inTree(new RegExp(`  ${domain} {2}${url}\n`));
    expect(await window.rowActions(name!)).toEqual(["Open Session in Browser", "Stop"]);
    expect(await window.rowMenu(name!)).toEqual([
      ...session,
      "Share Session…",
      "Make Session Private",
      ...all,
      "Restart",
      "Stop",
      "Open linkup.yaml",
      "Show Logs",
    ]);
    expect(await window.rowActions(domain)).toEqual(["Copy Session URL", "Open in Browser"]);
    expect(await window.rowMenu(domain)).toEqual([
      "Open in Browser",
      "Copy Session URL",
      "Explain Request…",
      "Reveal in linkup.yaml",
    ]);
    expect(await window.rowActions("web")).toEqual([
      "Route Service to…",
      "Route to Local",
      "Open Service in Browser",
    ]);
    expect(await window.rowMenu("web")).toEqual([
      "Run and Route to Local",
      "Route to Local",
      "Route Service to…",
      "Run Service",
      "Open Service in Browser",
      "Copy Service URL",
      "Reveal in linkup.yaml",
      "Open Terminal in Directory",
    ]);
    await window.expand("Components", "Local server");
    await inTree(/Local server/);
    expect(await window.rowActions("Local server")).toEqual(["Show Logs", "Restart"]);
    expect(await window.rowMenu("Local server")).toEqual(["Restart", "Show Logs"]);

    const opened = window.context.waitForEvent("page");
    await window.inlineAction(domain, "Open in Browser");
    const tab = await opened;
    await tab.waitForLoadState();
    expect(tab.url()).toBe(`${url}/`);
    await tab.close();
  });

  test("a problem's row: Solve does what helps", async () => {
    await window.command("Linkup: Start");
    await inTree(/0 of 3 local/);
    const text = await readFile(shop.configPath, "utf8");
    await writeFile(shop.configPath, text.replace("default_service: web", "default_service: wbe"));
    await inTree(/linkup\.yaml has errors {2}/);
    expect(await window.rowMenu("linkup.yaml has errors")).toEqual(["Fix…"]);
    await window.inlineAction("linkup.yaml has errors", "Fix…");
    await window.until("the file", async () => (await window.page.locator(".squiggly-error").count()) > 0);
    await writeFile(shop.configPath, text);
    // The menu of the file itself.
    await window.page.locator(".view-line", { hasText: "default_service: web" }).click({ button: "right" });
    await window.page.locator(".monaco-menu:visible").getByText("Test Route…").hover();
    await window.press("Enter");
    await window.until("the test", async () =>
      (await window.page.locator(".quick-input-message").textContent())?.includes("→ web"),
    );
  });

  test("the welcome where the file has errors", async () => {
    const text = await readFile(shop.configPath, "utf8");
    await writeFile(shop.configPath, text.replace("default_service: web", "default_service: wbe"));
    await welcome("error");
    await window.screenshot("welcome-invalid");
    expect((await window.statusBar("session"))?.text).toBe("$(warning) Linkup");
    await window.button("Open linkup.yaml");
    await window.until("the error", async () => (await window.page.locator(".squiggly-error").count()) > 0);
    await writeFile(shop.configPath, text);
    await window.stopped();
  });

  test("Doctor offers a fix for what it finds: orphaned processes are ended", async () => {
    await welcome("stopped");
    const state = join(window.server.folder, "state");
    const left = spawn(node, ["-e", "setInterval(() => {}, 1000)", "local-server.js", "--home", state]);
    const ended = once(left, "exit");
    try {
      await window.command("Linkup: Doctor");
      const page = window.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
      await page.getByText(`Orphaned processes: ${left.pid}`).first().waitFor();
      expect(await window.page.locator(".tab.active").getAttribute("aria-label")).toMatch(/^Linkup Doctor/);
      const endProcesses = page.getByRole("link", { name: "End Processes" });
      await endProcesses.click();
      ran("End Processes");
      await ended;
      await window.until("what was ended", async () =>
        (await window.toasts()).some((text) => text.includes(`Ended: ${left.pid}`)),
      );
      await page.getByRole("button", { name: "Refresh" }).click();
      await endProcesses.waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Copy JSON" }).click();
      await window.until("the report in the clipboard", async () =>
        (await window.clipboard()).includes('"checks"'),
      );
    } finally {
      left.kill("SIGKILL");
    }
  });
});

describe("in a separate window", () => {
  beforeEach(async () => {
    shop = await Shop.start();
  });
  afterEach(stop);

  test("services' rows: several are routed at once, one is revealed, copied, run and routed", async () => {
    const port = shop.local.auth;
    await shop.stopLocal();
    const program = `require("http").createServer((_, answer) => answer.end("run")).listen(${port})`;
    const local = `local: http://localhost:${port}\n`;
    const text = await readFile(shop.configPath, "utf8");
    const run = `    run: ${JSON.stringify(`${node} -e '${program}'`)}\n`;
    await writeFile(shop.configPath, text.replace(local, local + run));
    await open();
    await window.command("Linkup: Start");
    const [, name] = await inTree(/▾ ([a-z]+-[a-z]+) {2}0 of 3 local/);
    await window.row("web").click();
    await window.row("api").click({ modifiers: ["ControlOrMeta"] });
    await window.contextMenu("api", "Route to Local");
    await inTree(/2 of 3 local/);
    await window.until("the count in the status bar", async () =>
      (await window.statusBar("session"))?.text.startsWith(`$(link) ${name} · 2 local`),
    );
    await window.screenshot("several-routed");

    await window.contextMenu("auth", "Copy Service URL");
    await window.until("the URL", async () =>
      (await window.clipboard()).startsWith(`http://127.0.0.1:${shop.remote.auth}`),
    );
    await window.contextMenu("auth", "Reveal in linkup.yaml");
    await window.page
      .locator('.statusbar-item[id="status.editor.selection"]', { hasText: "4 selected" })
      .waitFor();

    // The command is shown before it is run.
    await window.contextMenu("auth", "Run and Route to Local");
    await window.until("the command", async () => (await window.dialog())?.includes(program));
    expect((await window.tree()).includes("auth  local")).toBe(false);
    await window.button("Run");
    await inTree(/auth {2}local/);
    expect((await shop.ask(`${name}.shop.localhost`, "/auth/")).body).toBe("run");
    await window.screenshot("run-service");
    await window.contextMenu("auth", "Run Service");

    await window.contextMenu("web", "Route Service to…");
    await window.until("the targets", async () => (await window.quickPickItems()).length >= 5);
    await window.screenshot("targets");
    await window.quickPick("auto");
    // Nothing listens there.
    await inTree(/web {2}auto: remote/);
    await window.command("Linkup: Route All to Auto");
    await inTree(/auth {2}auto: local/);
    await window.screenshot("auto");
    await window.contextMenu("web", "Open Terminal in Directory");
    await window.page.locator(".terminal-wrapper.active .xterm-screen").waitFor();
  });

  test("a Worker that hangs: toggles and starts say so, can be cancelled, and end in time", async () => {
    const settings = { "linkup.timeouts.start": 6, "linkup.timeouts.toggle": 6 };
    await open({ settings });
    const toast = (pattern: RegExp) => window.toast(pattern);
    const noToast = (pattern: RegExp) =>
      window.until(`no notification like ${pattern}`, async () =>
        (await window.toasts()).every((text) => !pattern.test(text)),
      );
    const hang = () => process.kill(shop.worker.pid, "SIGSTOP");
    const goOn = () => process.kill(shop.worker.pid, "SIGCONT");
    await window.command("Linkup: Start");
    const [, name] = await inTree(/▾ ([a-z]+-[a-z]+) {2}0 of 3 local/);
    try {
      hang();
      await window.inlineAction("api", "Route to Local");
      await inTree(/api {2}\w+ · switching…/);
      expect(await toast(/Routing api to local/)).toContain("[Cancel]");
      await window.screenshot("hanging-toggle");
      await window.button("Cancel");
      await noToast(/Routing api/);
      await inTree(/api {2}remote · 127/);
      // The row that tells of the Worker comes about now, and moves another one under the mouse.
      await inTree(/The Worker cannot be reached/);
      await window.inlineAction("api", "Route to Local");
      expect(await toast(/api/)).not.toBe("");
      expect(await toast(/it was not confirmed within 6 s/)).toContain("api");
      await inTree(/api {2}remote · 127/);
      await window.screenshot("hanging-toggle-late");
      goOn();
      await window.command("Notifications: Clear All Notifications");
      await window.inlineAction("api", "Route to Local");
      await inTree(/api {2}local/);
      expect((await shop.ask(`${name}.api.shop.localhost`, "/api/whoami")).by).toBe("local api");
      await window.command("Linkup: Stop");
      await welcome("stopped");

      hang();
      await window.command("Linkup: Start");
      await inTree(/starting…/);
      expect(await toast(/Starting the session of shop/)).toContain("[Cancel]");
      await inTree(new RegExp(`${name} {2}starting…`));
      expect(await window.rowActions(name!)).toEqual(["Cancel"]);
      await window.inlineAction(name!, "Cancel");
      await welcome("stopped");
      await noToast(/./);
      await window.command("Linkup: Start");
      await toast(/within 6 s/);
      await window.screenshot("hanging-start-late");
    } finally {
      goOn();
    }
    // What reached the Worker nevertheless is deleted when it answers again.
    await window.until(
      "no session at the Worker",
      async () => (await shop.ask(`${name}.shop.localhost`, "/")).status === 422,
    );
  });

  test("the welcome without a folder", async () => {
    await open({ folders: [] });
    await welcome("older");
    await window.screenshot("welcome-no-folder");
  });

  test("Create linkup.yaml offers the services that the workspace seems to have", async () => {
    const found = join(shop.folder, "..", "found");
    await mkdir(join(found, "apps", "storefront"), { recursive: true });
    const manifest = { name: "storefront", scripts: { dev: "vite --port 5181" } };
    await writeFile(join(found, "apps", "storefront", "package.json"), JSON.stringify(manifest));
    await writeFile(
      join(found, "docker-compose.yml"),
      "services:\n  billing:\n    image: x\n    ports: ['7070:7070']\n",
    );
    await open({ folders: [found] });
    // All that can be done before there is a file; the last one is VS Code's own.
    await expect
      .poll(async () => (await window.palette("Linkup: ")).sort(), POLL)
      .toEqual([
        "Linkup: Create linkup.yaml",
        "Linkup: Deploy Worker…",
        "Linkup: Doctor",
        "Linkup: Focus on Sessions View",
      ]);
    await window.command("Linkup: Create linkup.yaml");
    const items = await window.until("what was found", async () => {
      const shown = await window.quickPickItems();
      return shown.length === 2 && shown;
    });
    expect(items.join("\n")).toMatch(/storefront.*localhost:5181.*apps\/storefront\/package\.json/);
    await window.screenshot("create-found");
    await window.page.locator(".quick-input-list .monaco-list-row", { hasText: "billing" }).click();
    await window.press("Enter");
    await window.page.locator('.tab.active[aria-label^="linkup.yaml"]').waitFor();
    const text = await readFile(join(found, "linkup.yaml"), "utf8");
    expect(text).toContain("name: storefront");
    expect(text).toContain("local: http://localhost:5181");
    expect(text).not.toContain("billing");
    expect((await window.problems()).filter((line) => /error/i.test(line))).toEqual([]);
  });
});
