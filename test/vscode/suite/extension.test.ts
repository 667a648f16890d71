import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import type { LinkupApi } from "../../../extension/api.ts";
import { COMMANDS, commandId } from "../../../extension/ids.ts";

const extension = vscode.extensions.getExtension<LinkupApi>("linkup-dev.linkup")!;

async function until<T>(what: string, probe: () => T | undefined | false): Promise<T> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) {
    const value = probe();
    if (value) return value;
  }
  throw new Error(`Waited for ${what}.`);
}

/** The workspace's linkup.yaml with this text, in an editor; nothing is saved. */
async function edited(change: (text: string) => string): Promise<vscode.TextDocument> {
  const [folder] = vscode.workspace.workspaceFolders!;
  const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder!.uri, "linkup.yaml"));
  const editor = await vscode.window.showTextDocument(document);
  const all = new vscode.Range(0, 0, document.lineCount, 0);
  const text = change(document.getText());
  await editor.edit((edit) => edit.replace(all, text));
  return document;
}

const ofLinkup = (document: vscode.TextDocument) =>
  vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === "linkup");

describe("the extension", () => {
  it("is active in a workspace with a linkup.yaml", async () => {
    await until("activation", () => extension.isActive);
  });

  it("has every command", async () => {
    const commands = await vscode.commands.getCommands(true);
    assert.deepEqual(
      COMMANDS.map(commandId).filter((command) => !commands.includes(command)),
      [],
    );
  });

  it("exports its API", async () => {
    const api = await extension.activate();
    assert.equal(api.version, 1);
    assert.deepEqual(api.sessions, []);
    for (const call of [api.onDidChange, api.start, api.route, api.stop])
      assert.equal(typeof call, "function");
  });

  it("rejects a start that cannot succeed, and says why", async () => {
    const api = await extension.activate();
    await assert.rejects(api.start(), (error: Error & { problem?: { title: string } }) => {
      assert.ok(error.problem?.title, `no problem: ${error.stack}`);
      return true;
    });
  });
});

describe("linkup.yaml in the editor", () => {
  afterEach(async () => {
    await vscode.commands.executeCommand("workbench.action.files.revert");
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
  });

  it("has no problems when it is right", async () => {
    const document = await edited((text) => text.replace("service: api", "service: apis"));
    await until("the problem", () => ofLinkup(document).length === 1);
    await edited((text) => text.replace("service: apis", "service: api"));
    await until("no problem", () => ofLinkup(document).length === 0);
  });

  it("shows every problem at its exact place, with code and related place", async () => {
    const document = await edited((text) =>
      text.replace("service: api", "service: apj").replace("- name: api", "- name: web"),
    );
    const found = await until("the problems", () => {
      const problems = ofLinkup(document);
      return problems.length >= 2 && problems;
    });
    const twice = found.find(({ code }) => code === "duplicate-service")!;
    assert.equal(document.getText(twice.range), "web");
    assert.equal(document.getText(twice.relatedInformation![0]!.location.range), "web");
    assert.ok(twice.relatedInformation![0]!.location.range.end.isBefore(twice.range.start));
    const unknown = found.find(({ code }) => code === "unknown-service")!;
    assert.equal(document.getText(unknown.range), "apj");
    assert.equal(unknown.severity, vscode.DiagnosticSeverity.Error);
  });

  it("offers the likely word as a quick fix", async () => {
    const document = await edited((text) => text.replace("service: api", "service: apj"));
    const [problem] = await until("the problem", () => {
      const problems = ofLinkup(document);
      return problems.length === 1 && problems;
    });
    const [fix] = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      "vscode.executeCodeActionProvider",
      document.uri,
      problem!.range,
      vscode.CodeActionKind.QuickFix.value,
    );
    assert.equal(fix?.title, 'Change to "api"');
    await vscode.workspace.applyEdit(fix!.edit!);
    assert.match(document.getText(), /service: api\n/);
    await until("no problem", () => ofLinkup(document).length === 0);
  });
});
