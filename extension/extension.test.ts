import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import type * as vscode from "vscode";
import manifest from "../package.json" with { type: "json" };
import { extensionContext, writeSmallConfig } from "../test/support/extension-window.ts";
import { editor, resetEditor } from "../test/support/vscode.ts";
import { activate, deactivate } from "./extension.ts";

const folder = mkdtempSync(join(tmpdir(), "linkup-activate-"));
let context: vscode.ExtensionContext;

afterEach(async () => {
  await deactivate();
  for (const each of context.subscriptions) each.dispose();
  vi.unstubAllEnvs();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A window on a folder without a linkup.yaml. Returns what the extension shows, writes and watches there. */
function openFolder() {
  resetEditor([{ name: "shop", path: join(folder, "shop") }]);
  // Nothing is started.
  editor.trusted = false;
  vi.stubEnv("LINKUP_HOME", join(folder, "home"));
  const path: string[] = [];
  context = extensionContext(folder, path);
  return () => ({
    statusBar: editor.statusBar.map(({ text }) => text),
    terminals: path.length,
    files: existsSync(context.globalStorageUri.fsPath),
    channels: editor.channels.size,
    keys: editor.context.size,
    // Beside the one of the workspace's own files.
    watchers: editor.watchers.length - 1,
  });
}

test("a window without a linkup.yaml is left as it is, until somebody asks for Linkup", async () => {
  const seen = openFolder();
  const api = activate(context);
  await vi.dynamicImportSettled();
  await new Promise(setImmediate);
  expect(seen()).toEqual({ statusBar: [], terminals: 0, files: false, channels: 0, keys: 0, watchers: 0 });
  expect(api.sessions).toEqual([]);
  await expect.poll(() => editor.context.get("linkup.state")).toBe("none");
  await expect.poll(() => seen().terminals).toBe(1);
});

test("VS Code activates the extension in every window: the setting may name a file anywhere", async () => {
  expect(manifest.activationEvents).toContain("onStartupFinished");
  const seen = openFolder();
  const system = join(folder, "system");
  mkdirSync(system);
  editor.settings.set("linkup.configPath", writeSmallConfig(system));
  activate(context);
  await expect.poll(() => editor.context.get("linkup.state")).toBe("stopped");
  expect(seen().statusBar).toEqual(["$(link) Linkup"]);
});
