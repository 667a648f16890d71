// Where a workspace, its browser and its user can be: on no disk, on another machine, in another language.
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench, type WorkbenchOptions } from "./workbench.ts";

const vsix = join(root, "linkup.vsix");
let shop: Shop | undefined;
let window: Workbench;

afterEach(async () => {
  await window?.stop();
  await shop?.stop();
  shop = undefined;
});

/** A session whose last window is closed before all tests, which are the minute that it takes to end. */
let left: { shop: Shop; window: Workbench; name: string };
beforeAll(async () => {
  const shop = await Shop.start();
  const window = await shop.open();
  left = { shop, window, name: "" };
  await window.command("Linkup: Start");
  await window.until("the session", async () => (await window.tree()).includes("0 of 3 local"));
  left.name = (await window.statusBar("session"))!.text.replace("$(link) ", "");
  await window.closePage();
});
afterAll(async () => {
  await left?.window.stop();
  await left?.shop.stop();
});

async function openShop(options: WorkbenchOptions = {}): Promise<Shop> {
  shop = await Shop.start();
  window = await shop.open(options);
  return shop;
}

const ours = (of = window) =>
  of.processes().filter(({ command }) => /local-server\.js|cli\.js/.test(command));
const toast = (pattern: RegExp) => window.toast(pattern);

test("a virtual workspace: linkup.yaml is edited as anywhere, and nothing can be started", async () => {
  window = await Workbench.start({
    vsix,
    others: [join(import.meta.dirname, "others", "memory-files")],
    folders: ["memory:/shop"],
  });
  await window.showView();
  await window.until("why there is no session here", async () =>
    (await window.page.locator(".welcome-view-content").textContent())?.includes("This workspace is virtual"),
  );
  await window.screenshot("virtual");
  // Nobody searches on such a file system: the file is not found by its name.
  await window.showView("Explorer");
  await window.page.locator(".explorer-folders-view .monaco-list-row", { hasText: "linkup.yaml" }).dblclick();
  await window.until("the problem of the file", async () =>
    (await window.problems()).some((line) => line.includes('There is no service "wbe"')),
  );
  await window.press("ControlOrMeta+1");
  await window.press("ControlOrMeta+End");
  await window.typeText("  - dom");
  await window.until("the completion", async () =>
    (await window.page.locator(".suggest-widget .monaco-list-row").allTextContents()).some((text) =>
      text.startsWith("domain"),
    ),
  );
  expect(await window.palette("Linkup: Start")).not.toContain("Linkup: Start");
  expect(ours()).toEqual([]);
});

test("another machine's browser: local services are opened through VS Code, and local DNS is not offered, and why", async () => {
  const shop = await openShop({ host: "code.example.test" });
  await window.command("Linkup: Start");
  await window.inlineAction("api", "Route to Local");
  await window.until("api to be local", async () => (await window.tree()).includes("api  local"));
  const opened = window.context.waitForEvent("page");
  await window.inlineAction("api", "Open Service in Browser");
  const tab = await opened;
  await tab.waitForLoadState();
  const url = new URL(tab.url());
  expect([url.hostname, url.pathname]).toEqual(["code.example.test", `/proxy/${shop.local.api}/`]);
  await tab.close();
  await window.command("Linkup: Install Local DNS…");
  await toast(
    /on another machine than your browser, so local DNS here has no effect\. Use the session's URL/,
  );
});

test("another folder in the same window: its own state, the session of the one before below, adopted when it is back", async () => {
  const shop = await openShop();
  await window.command("Linkup: Start");
  const name = await window.until(
    "the session",
    async () => /▾ ([a-z]+-[a-z]+) {2}0 of 3 local/.exec(await window.tree())?.[1],
  );
  const before = ours();
  const next = await shop.another("blog");
  await window.openFolder(next);
  await window.showView();
  await window.until("the other folder's state", async () =>
    /blog {2}stopped\n.*▸ .* {2}0 of 3 local · shop/.test(await window.tree()),
  );
  expect((await window.statusBar("session"))?.text).toBe("$(link) Linkup");
  expect(ours()).toEqual(before);
  expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
  await window.openFolder(shop.folder);
  await window.showView();
  await window.until("the session again", async () =>
    (await window.tree()).startsWith(`▾ ${name}  0 of 3 local`),
  );
  expect(ours()).toEqual(before);
});

test("German: the view, the commands, the notifications, the editor", async () => {
  const shop = await openShop({ language: "de", env: {} });
  await window.until("the welcome", async () =>
    (await window.page.locator(".welcome-view-content").textContent())?.includes("Sitzung"),
  );
  await window.command("Linkup: Starten");
  expect(await toast(/Token/)).toContain("[Worker-Token setzen…]");
  await window.button("Worker-Token setzen…");
  await window.quickInput(TOKEN);
  await toast(/gespeichert/);
  await window.button("Starten");
  await window.until("the session", async () => (await window.tree()).includes("0 von 3 lokal"));
  await window.inlineAction("api", "Auf lokal umschalten");
  await window.until("api to be local", async () =>
    (await window.tree()).includes(`api  lokal · localhost:${shop.local.api}`),
  );
  await window.openFile("linkup.yaml");
  await window.until("the code lenses", async () =>
    (await window.page.locator(".codelens-decoration").allTextContents()).some((text) =>
      text.includes("lokal"),
    ),
  );
  await window.screenshot("german");
});

test("the last window is closed: a minute later nothing is left running", async () => {
  const { shop, window, name } = left;
  await expect.poll(() => ours(window), { timeout: 120_000, interval: 500 }).toEqual([]);
  expect((await shop.ask(`${name}.shop.localhost`, "/")).status).toBe(422);
});
