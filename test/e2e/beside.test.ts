import { afterAll, beforeAll, expect, test } from "vitest";
import { axeViolationsOfDocument } from "./axe.ts";
import { Shop, TOKEN } from "./shop.ts";
import type { Workbench } from "./workbench.ts";

let shop: Shop;
let window: Workbench;

beforeAll(async () => {
  shop = await Shop.start();
  window = await shop.open();
  await window.stopped();
});
afterAll(async () => {
  await window?.stop();
  await shop?.stop();
});

const inTree = (pattern: RegExp) => window.inTree(pattern);
const toast = (pattern: RegExp) => window.toast(pattern);
const page = (pattern: RegExp) =>
  window.until(`a page with ${pattern}`, async () => {
    const frame = window.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
    const text = await frame.locator("body").textContent();
    return text && pattern.test(text) && text;
  });

test("Create Preview Session: the picked services are elsewhere, and the URL is offered", async () => {
  await window.command("Linkup: Create Preview Session…");
  await window.until("the services", async () => (await window.quickPickItems()).length === 3);
  await window.page.locator(".quick-input-list .monaco-list-row", { hasText: "api" }).click();
  await window.screenshot("create-preview");
  await window.press("Enter");
  // The deployed copy of another service stands in for a review deployment.
  await window.quickInput(`http://127.0.0.1:${shop.remote.auth}`, "URL of api in the preview");
  await window.back("Name (empty");
  // What was entered is still there.
  await window.until("the URL", async () =>
    (await window.page.locator(".quick-input-widget input.input:visible").inputValue()).includes(
      `:${shop.remote.auth}`,
    ),
  );
  await window.press("Enter");
  await window.quickInput("", "Name (empty");
  const said = await toast(/The session [0-9a-f]{6} is at/);
  expect(said).toContain("[Copy URL]");
  const name = /session ([0-9a-f]{6})/.exec(said)![1]!;
  expect((await shop.ask(`${name}.api.shop.localhost`, "/api/whoami")).by).toBe("remote auth");
  expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
  await inTree(new RegExp(`${name} {2}.*preview`));
  await window.screenshot("preview");
  // The workspace's own session is still stopped.
  expect((await window.statusBar("session"))?.text).toBe("$(link) Linkup");
});

test("a preview cannot reach this machine, and says so before it is created", async () => {
  await window.command("Linkup: Create Preview Session…");
  await window.until("the services", async () => (await window.quickPickItems()).length === 3);
  await window.page.locator(".quick-input-list .monaco-list-row", { hasText: "web" }).click();
  await window.press("Enter");
  await window.quickInput("http://localhost:3000", "URL of web in the preview");
  await window.until("the objection", async () =>
    (await window.page.locator(".quick-input-widget").textContent())?.includes(
      "which a preview cannot reach",
    ),
  );
  await window.press("Escape");
});

test("Create Isolated Session: a name, secondary the own one", async () => {
  await window.command("Linkup: Create Isolated Session…");
  await window.quickInput("Not A Name", "Name (empty");
  await window.until("the objection", async () =>
    (await window.page.locator(".quick-input-widget").textContent())?.includes("may only have"),
  );
  await window.quickInput("side");
  expect(await toast(/The session side is at http:\/\/side\.shop\.localhost/)).toBeTruthy();
  await inTree(/side {2}0 of 3 local · isolated/);
});

test("List Sessions and Delete Session", async () => {
  await window.command("Linkup: List Sessions");
  const items = await window.until("both sessions", async () => {
    const shown = await window.quickPickItems();
    return shown.length === 2 && shown;
  });
  expect(items.join("\n")).toMatch(/preview · running/);
  await window.press("Escape");
  await window.command("Linkup: Delete Session…");
  await window.quickPick("side");
  await window.until("the question", async () =>
    (await window.dialog())?.includes("Delete the session side?"),
  );
  await window.button("Delete");
  await window.until("it to be gone", async () => !(await window.tree()).includes("side"));
});

test("Doctor: every check with its finding and its fix", async () => {
  await window.command("Linkup: Doctor");
  const text = await page(/Linkup Doctor/);
  expect(text).toContain('"checks"');
  expect(text).not.toContain(TOKEN);
  await window.screenshot("doctor");
  expect(await axeViolationsOfDocument(await window.documentWith("Linkup Doctor"))).toEqual([]);
});

test("Share Session: a link and its QR code, until it is revoked; and the switch in the palette", async () => {
  await window.command("Linkup: Start Private");
  const [, name] = await inTree(/([a-z]+-[a-z]+) {2}0 of 3 local · private/);
  const answer = async () => (await shop.ask(`${name}.shop.localhost`, "/")).status;
  expect(await answer()).toBe(401);
  await window.command("Linkup: Make Session Public");
  await window.button("Make Public");
  await window.until("everyone to be let in", async () => (await answer()) === 200);
  await window.command("Linkup: Share Session…");
  await window.quickPick("Invite somebody");
  await window.quickPick("12 h");
  await window.quickInput("Ana", "Name of the recipient");
  await window.quickPick("Once");
  const frame = await window.documentWith("Ana");
  const link = await window.clipboard();
  expect(link).toMatch(new RegExp(`^http://${name}\\.shop\\.localhost:\\d+/linkup/join#\\S+$`));
  expect(await frame.locator("figcaption code").textContent()).toBe(link);
  expect(await frame.getByRole("img", { name: "QR code of the link" }).count()).toBe(1);
  expect(await axeViolationsOfDocument(frame)).toEqual([]);
  await inTree(new RegExp(`${name} {2}.*private`));
  await window.until("the Worker to ask for a proof", async () => (await answer()) === 401);

  await frame.getByRole("link", { name: "Revoke Ana" }).or(frame.getByText("Revoke Ana")).first().click();
  await window.documentWith("Nobody is invited.");
  await window.command("Linkup: Make Session Public");
  await window.button("Make Public");
  await window.until("everyone to be let in", async () => (await answer()) === 200);
  await window.command("Linkup: Make Session Private");
  await inTree(new RegExp(`${name} {2}.*private`));
  await window.command("Linkup: Make Session Public");
  await window.button("Make Public");
  await window.until("everyone to be let in", async () => (await answer()) === 200);

  // Somebody may route, who has this window for the same system: what the owner's session shows is what the joined one does.
  await window.command("Linkup: Share Session…");
  await window.quickPick("Let a colleague route services");
  await window.quickPick("2 d");
  await window.quickInput("Ben", "Name of the recipient");
  const shared = await window.documentWith("Join Session");
  const invite = await window.clipboard();
  await window.command("Linkup: Join Session…");
  await window.quickInput(invite, "The invite");
  await window.button("Join");
  await inTree(new RegExp(`${name} {2}colleague's · 0 of 3 on the owner's machine`));
  await window.page.locator('.monaco-list-row[aria-label^="Service api, remote"]').last().click();
  await window.press("Space");
  await window.button("Route");
  await inTree(/api {2}owner's machine · by Ben/);
  await inTree(/api {2}local · by Ben/);
  await window.screenshot("joined");
  expect((await shop.ask(`${name}.api.shop.localhost`, "/api/whoami")).by).toBe("local api");
  await shared.getByRole("link", { name: "Revoke Ben" }).or(shared.getByText("Revoke Ben")).first().click();
  await inTree(new RegExp(`${name} {2}the invite has ended`));
  expect(await toast(/can no longer route the session/)).toContain("[Leave Session]");
  await window.command("Linkup: Leave Session");
  await window.button("Leave");
  await window.until(
    "no joined session",
    async () => !(await window.tree()).includes("the invite has ended"),
  );
  await window.command("Linkup: Stop");
  await window.stopped();
});
