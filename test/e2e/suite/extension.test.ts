import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import { COMMANDS, commandId } from "../../../extension/ids.ts";
import type { LinkupApi } from "../../../extension/public-api.ts";

const extension = vscode.extensions.getExtension<LinkupApi>("linkup-dev.linkup")!;

async function until<T>(what: string, probe: () => T | undefined | false): Promise<T> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) {
    const value = probe();
    if (value) return value;
  }
  throw new Error(`Waited for ${what}.`);
}

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

describe("for other tools", () => {
  const tools = [
    "linkup_get_status",
    "linkup_start_session",
    "linkup_route_service",
    "linkup_explain_request",
    "linkup_get_requests",
    "linkup_create_preview",
  ];

  it("offers tools to language models", () => {
    const known = vscode.lm.tools.map(({ name }) => name);
    assert.deepEqual(
      tools.filter((name) => !known.includes(name)),
      [],
    );
  });

  it("answers the status tool", async () => {
    const input = { input: {}, toolInvocationToken: undefined };
    const result = await vscode.lm.invokeTool("linkup_get_status", input);
    const text = result.content.map((part) => (part as vscode.LanguageModelTextPart).value).join("");
    assert.match(text, /No session is running/);
  });

  it("provides a task that starts the session in the background", async () => {
    const [task] = await vscode.tasks.fetchTasks({ type: "linkup" });
    assert.equal(task?.name, "start");
    assert.equal(task?.isBackground, true);
    assert.deepEqual(task?.problemMatchers, ["$linkup"]);
  });

  it("labels the port it listens on", () => {
    const setting = vscode.workspace.getConfiguration("remote").inspect("portsAttributes");
    const labels = Object.entries(setting?.defaultValue as Record<string, { label?: string }>);
    const [pattern] = labels.find(([, { label }]) => label === "Linkup") ?? [];
    assert.match("/usr/bin/node /x/dist/local-server.js", new RegExp(pattern!));
  });
});
