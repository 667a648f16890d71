import { mkdtempSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type * as vscode from "vscode";
import { dist } from "../../support/bundles.ts";
import { extensionContext } from "../../support/extension-window.ts";
import * as standIn from "../../support/vscode.ts";
import { editor, resetEditor } from "../../support/vscode.ts";

interface Extension {
  activate(context: vscode.ExtensionContext): unknown;
  deactivate(): Promise<void>;
}

/** How often the API of VS Code was asked for, and all its members listed. */
let asked = 0;
let listed = 0;
const api = new Proxy(
  { ...standIn },
  {
    ownKeys(target) {
      listed++;
      return Reflect.ownKeys(target);
    },
  },
);

// The bundle asks for VS Code's API as it does in VS Code, which answers in place of Node.
type Load = (request: string, ...more: unknown[]) => unknown;
const loader = Module as unknown as { _load: Load };
const load = loader._load;
beforeEach(() => {
  asked = listed = 0;
  loader._load = (request, ...more) => {
    if (request !== "vscode") return load(request, ...more);
    asked++;
    return api;
  };
});
afterEach(() => {
  loader._load = load;
});

/** The bundle's files that are in memory. */
function filesRead(folder: string): string[] {
  const { cache } = createRequire(import.meta.url);
  return Object.keys(cache)
    .filter((path) => dirname(path) === folder)
    .map((path) => basename(path));
}

test("a window reads two files, and more only when there is a linkup.yaml or a command is run", async () => {
  resetEditor([]);
  const folder = await dist();
  const extension: Extension = createRequire(join(folder, "main.js"))("./extension.js");
  expect(filesRead(folder)).toEqual(["extension.js", expect.stringMatching(/^part-small-/)]);
  // To copy the API for each module that imports it would take half of the time.
  expect(listed).toBe(0);
  expect(asked).toBeLessThan(10);

  const context = extensionContext(mkdtempSync(join(tmpdir(), "linkup-activation-")));
  extension.activate(context);
  try {
    await new Promise(setImmediate);
    expect(filesRead(folder)).toHaveLength(2);

    await editor.commands.get("linkup.cancelStart")!();
    expect(filesRead(folder)).toContainEqual(expect.stringMatching(/^part-handlers-/));
  } finally {
    for (const each of context.subscriptions) each.dispose();
    await extension.deactivate();
  }
});
