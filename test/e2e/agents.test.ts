// Coding agents in VS Code: the MCP server, which a setting offers to them.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench } from "./workbench.ts";

let shop: Shop;
let window: Workbench;

beforeAll(async () => {
  shop = await Shop.start();
  window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [shop.folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN },
    settings: { "chat.disableAIFeatures": false },
  });
});
afterAll(async () => {
  await window?.stop();
  await shop?.stop();
});

const servers = () => window.processes().filter(({ command }) => command.endsWith("cli.js mcp"));

test("linkup mcp is among VS Code's MCP servers where the setting asks for it, and runs when it is started", async () => {
  await window.stopped();
  await mkdir(join(shop.folder, ".vscode"));
  await writeFile(join(shop.folder, ".vscode", "settings.json"), '{ "linkup.mcpServer": true }');
  expect(servers()).toEqual([]);
  // The list does not change while it is open.
  await window.until("Linkup among the servers", async () => {
    await window.command("MCP: List Servers");
    const servers = await window.until("the servers", () => window.quickPickItems());
    return servers.some((server) => server.startsWith("Linkup"));
  });
  await window.quickPick("Linkup");
  await window.quickPick("Start Server");
  await window.until("the server", () => servers().length === 1);
  await window.command("MCP: List Servers");
  await window.until("that it runs", async () =>
    (await window.quickPickItems()).some((item) => /Linkup.*Running/.test(item)),
  );
  await window.screenshot("mcp-server");
});
