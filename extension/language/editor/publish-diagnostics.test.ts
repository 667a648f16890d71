import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type * as vscode from "vscode";
import { configFile, editor } from "../../../test/support/extension-window.ts";
import { EventEmitter, resetEditor, type Uri } from "../../../test/support/vscode.ts";
import type { ConfigFiles } from "../../config-files.ts";
import type { ConfigDocuments } from "./config-documents.ts";
import type { LiveFacts } from "./live-facts.ts";
import { registerDiagnostics } from "./publish-diagnostics.ts";

test("a file that is not open has its problems too, until it is no longer known", async () => {
  const folder = mkdtempSync(join(tmpdir(), "linkup-diagnostics-"));
  try {
    const path = join(folder, "linkup.yaml");
    writeFileSync(path, "linkup: {}\n");
    resetEditor([{ name: "shop", path: folder }]);
    const changed = new EventEmitter<unknown>();
    const saved = new EventEmitter<string>();
    const configs = { files: [configFile(path)], onDidChange: changed.event, onDidSave: saved.event };
    const facts = {
      of: (_: { uri: Uri }) => ({
        session: undefined,
        sessionNames: [],
        listening: undefined,
        tracked: false,
        missingFiles: new Set(),
      }),
      onDidChange: new EventEmitter<void>().event,
    };
    const documents = { has: () => true, forget() {} };
    registerDiagnostics(
      { subscriptions: [] } as unknown as vscode.ExtensionContext,
      documents as unknown as ConfigDocuments,
      facts as unknown as LiveFacts,
      configs as unknown as ConfigFiles,
      () => undefined,
    );
    const found = () => (editor.diagnostics.get(path) ?? []).length;
    await expect.poll(found).toBeGreaterThan(1);
    writeFileSync(path, "services: [");
    const before = found();
    saved.fire(path);
    await expect.poll(found).not.toBe(before);
    configs.files = [];
    changed.fire(undefined);
    expect(editor.diagnostics.has(path)).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
