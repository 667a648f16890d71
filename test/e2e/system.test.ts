// What changes the system: every command is shown first, in a terminal, and can be taken back.
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axeViolationsOfDocument } from "./axe.ts";
import { Shop } from "./shop.ts";
import type { Workbench } from "./workbench.ts";

let shop: Shop;
let window: Workbench;

beforeAll(async () => {
  shop = await Shop.start();
  // A domain that browsers do not take to this machine by themselves.
  const text = await readFile(shop.configPath, "utf8");
  await writeFile(shop.configPath, text.replace("domain: api.shop.localhost", "domain: shop.test"));
  window = await shop.open({
    // The terminal shows every command at once.
    size: { width: 1200, height: 1400 },
    settings: { "terminal.integrated.gpuAcceleration": "off" },
  });
  await window.stopped();
});
afterAll(async () => {
  await window?.stop();
  await shop?.stop();
});

/** The terminal breaks lines where they happen to be too long for it. */
const inTerminal = (pattern: RegExp) =>
  window.until(
    `${pattern} in the terminal`,
    async () => pattern.exec((await window.terminal()).replaceAll("\n", "")),
    60_000,
  );
const journal = () => join(window.server.folder, "state", "system-changes.json");
const toast = (pattern: RegExp) => window.toast(pattern);

test("Install Local DNS asks where the browser is, shows every command, and runs none without a yes", async () => {
  await window.command("Linkup: Install Local DNS…");
  await window.until("the question", async () => (await window.dialog())?.includes("Where is your browser?"));
  await window.button("Cancel");
  expect(await window.page.locator(".terminal-wrapper").count()).toBe(0);
  await window.command("Linkup: Install Local DNS…");
  await window.button("On This Machine");
  await inTerminal(/For shop\.test, these commands change this machine:.*Run them\? \[y\/N\]/);
  await window.screenshot("install-local-dns");
  await window.page.keyboard.type("n\n");
  await inTerminal(/Run them\? \[y\/N\] n/);
  expect(existsSync(journal())).toBe(false);
  await window.command("Terminal: Kill the Active Terminal Instance");
});

test("without changes there is nothing to undo", async () => {
  expect(await window.palette("Linkup: Un")).not.toContain("Linkup: Undo System Changes…");
  expect(await window.palette("Linkup: Un")).not.toContain("Linkup: Uninstall Local DNS…");
});

test("Undo System Changes and Uninstall Local DNS show each change with its commands, which the terminal runs after a yes", async () => {
  const file = join(shop.folder, "resolver-file");
  await writeFile(file, "");
  const undo = [{ argv: ["rm", "-f", file], admin: false }];
  const entries = [{ title: "Let this machine ask Linkup for the names under shop.test.", undo }];
  await writeFile(
    journal(),
    JSON.stringify({ version: 1, domains: ["shop.test"], method: "resolver-files", entries }),
  );

  await window.command("Linkup: Uninstall Local DNS…");
  await inTerminal(/Run them\? \[y\/N\]/);
  await window.page.keyboard.type("n\n");
  await window.command("Terminal: Kill the Active Terminal Instance");
  expect([existsSync(file), existsSync(journal())]).toEqual([true, true]);

  await window.command("Linkup: Undo System Changes…");
  const page = window.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
  await page.getByText("Let this machine ask Linkup for the names under shop.test.").waitFor();
  await page.getByText(`rm -f ${file}`).waitFor();
  await toast(/Undo these system changes/);
  await window.screenshot("undo-system-changes");
  expect(await axeViolationsOfDocument(await window.documentWith("Linkup System Changes"))).toEqual([]);
  await window.button("Undo in Terminal");
  await inTerminal(/These commands undo all changes:.*Run them\? \[y\/N\]/);
  expect(existsSync(file)).toBe(true);
  await window.page.keyboard.type("y\n");
  await inTerminal(/All changes are undone\./);
  expect([existsSync(file), existsSync(journal())]).toEqual([false, false]);
  await window.command("Terminal: Kill the Active Terminal Instance");
  await window.command("View: Close All Editors");
});

test("local DNS is a component with a row; Restart there makes another process answer", async () => {
  await writeFile(
    journal(),
    JSON.stringify({ version: 1, domains: ["shop.test"], method: "resolver-files", entries: [] }),
  );
  await window.command("Linkup: Start Isolated");
  await window.expand("Components", "Local server");
  const pidIn = async () => /Local DNS {2}ready · pid (\d+)/.exec(await window.tree())?.[1];
  const before = await window.until("local DNS", pidIn);
  // A row that moves under the mouse would have the click.
  await window.until("the tree to be at rest", async () => {
    const tree = await window.tree();
    await window.page.waitForTimeout(500);
    return tree === (await window.tree());
  });
  await window.inlineAction("Local DNS", "Restart");
  const after = await window.until("another local DNS", async () => {
    const pid = await pidIn();
    return pid !== before && pid;
  });
  const running = window.processes().filter(({ command }) => command.includes("local-dns.js"));
  expect(running.map(({ pid }) => pid)).toEqual([Number(after)]);
  await window.command("Linkup: Stop");
  await window.until("the local server's end", () =>
    window.processes().every(({ command }) => !command.includes("local-server.js")),
  );
  // The tree is drawn anew when the session has gone.
  await window.until("the same local DNS, which goes on", async () => (await pidIn()) === after);
  await rm(journal());
  await window.until("its end, with the installation", () =>
    window.processes().every(({ command }) => !command.includes("local-dns.js")),
  );
});
