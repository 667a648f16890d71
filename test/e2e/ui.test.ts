// The main job, as a user does it in VS Code, on real parts: the packaged extension, the Worker on workerd, the
// example system, and requests through the Worker's address.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench } from "./workbench.ts";

const vsix = join(root, "linkup.vsix");
let shop: Shop;
let window: Workbench;
/** `slim-gecko`, once there is one. */
let name: string;

beforeAll(async () => {
  shop = await Shop.start();
  window = await Workbench.start({ vsix, folders: [shop.folder], env: { LINKUP_WORKER_TOKEN: TOKEN } });
});
afterAll(async () => {
  await window?.stop();
  await shop?.stop();
});

/** The processes that Linkup started, by what they run. */
const ours = () =>
  window.processes().filter(({ command }) => /local-server\.js|cli\.js|cloudflared/.test(command));

test("a stopped workspace offers to start", async () => {
  await window.showView();
  await window.until("the welcome view", async () =>
    (await window.page.locator(".welcome-view-content").textContent())?.includes("stopped"),
  );
  await window.until(
    "Linkup in the status bar",
    async () => (await window.statusBar("session"))?.text === "$(link) Linkup",
  );
  expect(ours()).toEqual([]);
});

test("Start from the palette: the session is in the tree and the status bar, its URL is served", async () => {
  await window.command("Linkup: Start");
  const item = await window.until("the session's name in the status bar", async () => {
    const shown = await window.statusBar("session");
    return /^\$\(link\) [a-z]+-[a-z]+$/.test(shown?.text ?? "") && shown;
  });
  name = item.text.replace("$(link) ", "");
  const port = shop.workerPort;
  await window.until("the services in the tree", async () => (await window.tree()).includes(`▾ ${name}`));
  expect(await window.tree()).toBe(
    [
      `▾ ${name}  0 of 3 local`,
      `  shop.localhost  http://${name}.shop.localhost:${port}`,
      `  api.shop.localhost  http://${name}.api.shop.localhost:${port}`,
      `  web  remote · 127.0.0.1:${shop.remote.web}`,
      `  api  remote · 127.0.0.1:${shop.remote.api}`,
      `  auth  remote · 127.0.0.1:${shop.remote.auth}`,
      "▸ Components  all ready",
    ].join("\n"),
  );
  expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
  await window.screenshot("running");
});

test("the inline toggle: the next request is served by the local copy", async () => {
  await window.inlineAction("api", "Route to Local");
  await window.until("api to be local", async () =>
    (await window.tree()).includes(`api  local · localhost:${shop.local.api}`),
  );
  const answer = await shop.ask("api.shop.localhost", "/api/whoami", {
    tracestate: `linkup-session=${name}`,
  });
  expect(answer.by).toBe("local api");
  await window.screenshot("toggled");
  await window.inlineAction("api", "Route to Remote");
  await window.until("api to be remote", async () => (await window.tree()).includes("api  remote"));
  expect((await shop.ask(`${name}.api.shop.localhost`, "/api/whoami")).by).toBe("remote api");
});

test("Copy Session URL", async () => {
  await window.command("Linkup: Copy Session URL");
  await window.quickPick(`${name}.shop.localhost:${shop.workerPort}`);
  const url = await window.until("the clipboard", async () => {
    const text = await window.clipboard();
    return text.includes(name) && text;
  });
  expect(url).toBe(`http://${name}.shop.localhost:${shop.workerPort}/`);
});

test("a reloaded window adopts what runs and starts nothing twice", async () => {
  const before = ours();
  expect(before.length).toBeGreaterThan(0);
  await window.reload();
  await window.until("the session in the status bar", async () =>
    (await window.statusBar("session"))?.text.includes(name),
  );
  expect(ours()).toEqual(before);
  expect((await shop.ask(`${name}.shop.localhost`, "/")).by).toBe("remote web");
});

test("Stop leaves no process", async () => {
  await window.command("Linkup: Stop");
  await window.stopped();
  await window.until("the processes to be gone", () => ours().length === 0);
  expect((await shop.ask(`${name}.shop.localhost`, "/")).status).not.toBe(200);
});
