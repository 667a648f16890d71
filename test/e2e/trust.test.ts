// A cloned repository in a real VS Code: its linkup.yaml and its folder's name are hostile until the user says otherwise.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ran } from "./commands-run.ts";
import { root } from "./install.ts";
import { Workbench, type WorkbenchOptions } from "./workbench.ts";

const TOKEN = "the-users-token";
let attacker: Server;
/** `GET /path authorization` of each request that reached the attacker. */
let reached: string[];
let parent: string;
let window: Workbench;

beforeEach(async () => {
  reached = [];
  attacker = createServer((request, response) => {
    reached.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`);
    response.end("{}");
  });
  await new Promise<void>((done) => attacker.listen(0, "127.0.0.1", done));
  parent = await realpath(await mkdtemp(join(tmpdir(), "linkup-clone-")));
});
afterEach(async () => {
  await window?.stop();
  attacker.close();
  attacker.closeAllConnections();
  await rm(parent, { recursive: true, force: true });
});

const origin = () => `http://127.0.0.1:${(attacker.address() as AddressInfo).port}`;

async function clone(name: string, config: string, options: WorkbenchOptions = {}): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder);
  await writeFile(join(folder, "linkup.yaml"), config);
  window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN },
    ...options,
    settings: { "terminal.integrated.gpuAcceleration": "off", ...options.settings },
  });
  await window.showView();
  await window.until("the extension", async () => (await window.statusBar("session"))?.text);
  return folder;
}

const config = (workerUrl: string, remote = '"https://web.example.com"') => `linkup:
  worker_url: ${workerUrl}
services:
  - name: web
    remote: ${remote}
    local: http://localhost:3000
domains:
  - domain: shop.test
    default_service: web
`;
const toast = (pattern: RegExp) => window.toast(pattern);
const question = (pattern: RegExp) =>
  window.until(`a question like ${pattern}`, async () => pattern.test((await window.dialog()) ?? ""));

test("a worker_url that never had the token is asked about, and gets nothing after a no", async () => {
  await clone("shop", config("https://linkup.attacker.example"));
  await window.command("Linkup: Start");
  await question(/Send your worker token to https:\/\/linkup\.attacker\.example\?/);
  await window.screenshot("confirm-worker");
  await window.button("Cancel");
  await window.stopped();
  // Doctor offers to confirm it. After a yes it is asked no more.
  await window.command("Linkup: Doctor");
  const page = window.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
  await page.getByRole("link", { name: "Confirm Worker…" }).click();
  ran("Confirm Worker…");
  await question(/Send your worker token/);
  await window.button("Send Token");
  await toast(/linkup\.attacker\.example.*cannot be reached/);
  await window.button("Try Again");
  await toast(/linkup\.attacker\.example.*cannot be reached/);
  expect(await window.dialog()).toBeUndefined();
});

test("Doctor in an untrusted workspace asks no Worker", async () => {
  await clone("shop", config(origin()), {
    settings: { "security.workspace.trust.enabled": true, "security.workspace.trust.startupPrompt": "never" },
  });
  await window.command("Linkup: Doctor");
  const page = window.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
  await page.getByText("Linkup Doctor").first().waitFor();
  expect(reached).toEqual([]);
});

test("text of linkup.yaml loads no image in a hover", async () => {
  const image = `![](${origin()}/hover.png)`;
  await clone("shop", config("https://linkup.example.com", `"https://web.example.com\\n\\n${image}"`));
  await window.openFile("linkup.yaml");
  await window.page
    .locator(".view-line", { hasText: "default_service" })
    .locator("span", { hasText: /^web$/ })
    .last()
    .hover();
  const hover = window.page.locator(".monaco-hover:visible");
  await window.until("the hover", async () => (await hover.textContent())?.includes("remote"));
  expect(await hover.locator("img").count()).toBe(0);
  expect(reached).toEqual([]);
});

test("a folder's name is not run as a shell command", async () => {
  const folder = await clone("a$(touch pwned)`touch pwned`", config("https://linkup.example.com"));
  await window.command("Linkup: Install Local DNS…");
  await window.button("On This Machine");
  await window.until(
    "the commands",
    async () => /Run them\? \[y\/N\]/.test((await window.terminal()).replaceAll("\n", "")),
    60_000,
  );
  await window.page.keyboard.type("n\n");
  for (const place of [folder, parent, join(window.server.folder, "home")])
    expect(existsSync(join(place, "pwned"))).toBe(false);
});
