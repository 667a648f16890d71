// Windows, folders and trust: what is adopted, what agrees, and what is left alone.
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench, type WorkbenchOptions } from "./workbench.ts";

const vsix = join(root, "linkup.vsix");
const env = { LINKUP_WORKER_TOKEN: TOKEN };
let shop: Shop;
let window: Workbench;

beforeEach(async () => {
  shop = await Shop.start();
});
afterEach(async () => {
  await window?.stop();
  await shop?.stop();
});

async function open(options: WorkbenchOptions = {}): Promise<void> {
  window = await shop.open(options);
}

async function nameIn(window: Workbench): Promise<string> {
  return await window.until("the running session in the status bar", async () => {
    const text = (await window.statusBar("session"))?.text;
    return /^\$\(link\) ([a-z]+-[a-z]+)/.exec(text ?? "")?.[1];
  });
}

const inTree = (text: string, where = window) => where.inTree(text);
const ours = () => window.processes().filter(({ command }) => /local-server\.js|cli\.js/.test(command));

test("two windows on one folder agree, and the second starts nothing", async () => {
  await open();
  await window.command("Linkup: Start");
  const name = await nameIn(window);
  const before = ours();
  const second = await window.openWindow([shop.folder]);
  await second.showView();
  expect(await nameIn(second)).toBe(name);
  expect(ours()).toEqual(before);
  await second.inlineAction("api", "Route to Local");
  await inTree("api  local", second);
  const start = Date.now();
  await inTree("api  local");
  console.log(`the other window agreed after ${Date.now() - start} ms`);
  await window.command("Linkup: Stop");
  await window.until("the question", async () =>
    (await window.dialog())?.includes("One other window is using it."),
  );
  await window.button("Stop");
  await second.stopped();
  await window.until("the processes to be gone", () => ours().length === 0);
});

test("a killed extension host loses nothing: the next one adopts", async () => {
  await open();
  await window.command("Linkup: Start");
  const name = await nameIn(window);
  const before = ours();
  await window.killExtensionHost();
  await window.until("the tree of the new host", async () => (await window.tree()).includes(name));
  expect(ours()).toEqual(before);
  expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
});

test("a linkup.yaml that only the setting names: the reloaded window holds the session, whatever is shown in it", async () => {
  const folder = join(shop.folder, "..", "elsewhere");
  await mkdir(folder);
  await open({ folders: [folder], settings: { "linkup.configPath": shop.configPath } });
  await window.command("Linkup: Start");
  const name = await nameIn(window);
  const before = ours();
  await window.showView("Explorer");
  await window.reload();
  expect(await nameIn(window)).toBe(name);
  expect(ours()).toEqual(before);
  expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
});

test("several folders: a session each, and commands ask which", async () => {
  const second = join(shop.folder, "..", "second");
  await mkdir(second);
  await cp(shop.configPath, join(second, "linkup.yaml"));
  await open({ folders: [shop.folder, second] });
  await inTree("shop  stopped");
  await inTree("second  stopped");
  await window.inlineAction("second", "Start");
  const name = await nameIn(window);
  await inTree(`▾ ${name}  0 of 3 local · second`);
  await window.command("Linkup: Start");
  await window.quickPick("shop");
  await window.until("two names in the status bar", async () =>
    (await window.statusBar("session"))?.text.match(/^\$\(link\) [a-z]+-[a-z]+, [a-z]+-[a-z]+$/),
  );
  await window.screenshot("multi-root");
  const [, other] = (await window.statusBar("session"))!.text.replace("$(link) ", "").split(", ");
  expect(other).toBe(name);
  for (const each of (await window.statusBar("session"))!.text.replace("$(link) ", "").split(", "))
    expect((await shop.ask(`${each}.shop.localhost`, "/")).by).toBe("remote web");
  await window.inlineAction(name, "Stop");
  await inTree("second  stopped");
  expect((await window.statusBar("session"))!.text).not.toContain(name);
});

test("in Restricted Mode everything is shown and nothing started, until the workspace is trusted", async () => {
  await open({
    settings: { "security.workspace.trust.enabled": true, "security.workspace.trust.startupPrompt": "never" },
  });
  await window.page.getByText("Restricted Mode, where Linkup starts nothing").first().waitFor();
  await inTree("▾ shop  stopped");
  await inTree(`api  remote 127.0.0.1:${shop.remote.api} · local localhost:${shop.local.api}`);
  await window.screenshot("restricted");
  expect(await window.palette("Linkup: Start")).not.toContain("Linkup: Start");
  expect(ours()).toEqual([]);
  await writeFile(
    shop.configPath,
    (await readFile(shop.configPath, "utf8")).replace("default_service: web", "default_service: wbe"),
  );
  await window.openFile("linkup.yaml");
  await window.until("the problem", async () =>
    (await window.problems()).some((line) => line.includes("wbe")),
  );
  await writeFile(shop.configPath, (await readFile(shop.configPath, "utf8")).replace("wbe", "web"));
  expect(ours()).toEqual([]);

  const trust = window.page.locator(".workspace-trust-editor .monaco-button", { hasText: "Trust" }).first();
  // Rows may still move while the tree is drawn anew.
  await window.until("the editor of the workspace's trust", async () => {
    if (await trust.isVisible()) return true;
    await window.row("Manage Workspace Trust").click({ timeout: 2_000 });
    return trust.waitFor({ timeout: 2_000 }).then(() => true);
  });
  await trust.click();
  await window.command("Linkup: Start");
  await nameIn(window);
  await inTree("api  remote · ");
});

test("the walkthrough's first steps: a folder without a file offers to create one", async () => {
  const empty = join(shop.folder, "..", "empty");
  await mkdir(empty);
  await open({ folders: [empty] });
  await window.button("Create linkup.yaml");
  await window.until("the new file in an editor", async () =>
    (await window.page.locator(".tab.active").first().getAttribute("aria-label"))?.startsWith("linkup.yaml"),
  );
  await window.until("the stopped state", async () =>
    (await window.page.locator(".welcome-view-content").textContent())?.includes("stopped"),
  );
  expect((await window.problems()).filter((line) => line.includes("linkup"))).toEqual([]);
  await window.screenshot("created");
});

test("without a linkup.yaml nothing is looked at, until somebody looks", async () => {
  const other = join(shop.folder, "..", "other");
  await mkdir(other);
  // Whoever looks at what runs makes this folder.
  const state = join(other, "state");
  window = await Workbench.start({
    vsix,
    folders: [other],
    env: { ...env, LINKUP_HOME: state },
    // The list of running extensions has the slow ones first: all of it has to be in view.
    size: { width: 1200, height: 1600 },
  });
  await window.command("Developer: Show Running Extensions");
  const row = window.page.locator(".runtime-extensions-editor .monaco-list-row", { hasText: "Linkup" });
  await window.until("the extension to be active", async () =>
    /Activation: \d+ms/.test((await row.first().textContent()) ?? ""),
  );
  expect(existsSync(state)).toBe(false);
  await window.press("Escape");
  await window.showView();
  await window.until("the look", () => existsSync(state));
});

test("the walkthrough's steps are ticked as they are done", async () => {
  await open();
  await window.command("Welcome: Open Walkthrough...");
  await window.quickPick("Get Started with Linkup");
  const steps = window.page.locator(".getting-started-step");
  const done = (step: number) =>
    window.until(
      `step ${step} to be done`,
      async () =>
        (await steps
          .nth(step - 1)
          .locator(".codicon-getting-started-step-checked")
          .count()) > 0,
    );
  await window.until("the steps", async () => (await steps.count()) === 5);
  await window.command("Linkup: Start");
  await done(2);
  await window.inlineAction("api", "Route to Local");
  await done(3);
  await window.command("Linkup: Copy Session URL");
  await window.until("the domains", async () => (await window.quickPickItems()).length === 2);
  await window.press("Enter");
  await done(5);
});
