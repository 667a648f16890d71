import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import type * as vscode from "vscode";
import {
  configFile,
  type ExtensionWindow,
  editor,
  openWindow,
  SESSION,
} from "../test/support/extension-window.ts";
import { resetEditor } from "../test/support/vscode.ts";
import { ConfigFiles } from "./config-files.ts";
import { registerProblemWatch } from "./problem-watch.ts";
import { createApi } from "./public-api.ts";
import { registerTerminalEnvironment } from "./terminal/environment.ts";
import { registerSessionsView } from "./views/sessions-view.ts";
import { registerStatusBar } from "./views/status-bar.ts";

const CONFIG = configFile("/shop/linkup.yaml");
const subscriptions: { dispose(): unknown }[] = [];
const context = (more = {}) => ({ subscriptions, ...more }) as unknown as vscode.ExtensionContext;
const running = () => ({
  snapshot: {
    sessions: [{ ...SESSION, services: SESSION.services.map((service) => ({ ...service })) }],
    components: [],
    problems: [],
  },
  configs: [CONFIG],
});
const changeTo = (window: ExtensionWindow, snapshot: object) => {
  Object.assign(window.model, { snapshot: { ...window.model.snapshot, ...snapshot } });
  window.changed();
};

afterEach(() => {
  for (const each of subscriptions.splice(0)) each.dispose();
  vi.useRealTimers();
});

test("the view shows the session, counts what is unhealthy, and sets what menus ask about", async () => {
  const window = openWindow(running());
  const view = registerSessionsView(context(), window.linkup) as unknown as {
    provider: vscode.TreeDataProvider<{ label: string }>;
    badge: unknown;
  };
  await expect.poll(() => editor.context.get("linkup.state")).toBe("running");
  expect((await view.provider.getChildren())!.map(({ label }) => label)).toEqual(["slim-gecko"]);
  expect(view.badge).toBeUndefined();
  const [session] = window.model.snapshot.sessions;
  changeTo(window, {
    sessions: [
      { ...session!, services: [{ ...session!.services[0]!, health: "unhealthy", target: "local" }] },
    ],
  });
  await expect.poll(() => view.badge).toEqual({ value: 1, tooltip: "1 service is unhealthy" });
  expect(editor.context.get("linkup.hasLocal")).toBe(true);
});

test("the status bar follows the session", () => {
  const window = openWindow({ configs: [CONFIG] });
  registerStatusBar(context(), window.linkup);
  const [item] = editor.statusBar;
  window.changed();
  expect(item!.text).toBe("$(link) Linkup");
  changeTo(window, running().snapshot);
  expect(item!.text).toContain("slim-gecko");
});

test("a problem is told once it lasts, and once only", async () => {
  vi.useFakeTimers();
  const window = openWindow(running());
  registerProblemWatch(context(), window.linkup);
  const problem = {
    code: "tunnel-failed",
    title: "The tunnel is down",
    message: "cloudflared ended 3 times.",
    actions: [],
  };
  changeTo(window, { problems: [problem] });
  changeTo(window, { problems: [] });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(editor.shown).toEqual([]);
  changeTo(window, { problems: [problem] });
  await vi.advanceTimersByTimeAsync(3_000);
  // Another count, the same trouble.
  changeTo(window, { problems: [{ ...problem, message: "cloudflared ended 4 times." }] });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(editor.shown.map(({ text }) => text)).toEqual(["cloudflared ended 3 times."]);
});

test("terminals know the session of their folder, and no longer when it ends", () => {
  const window = openWindow(running());
  const variables = new Map<string, string>();
  const scoped = {
    clear: () => variables.clear(),
    replace: (name: string, value: string) => variables.set(name, value),
  };
  const all = { getScoped: () => scoped, append() {}, delete() {} };
  editor.settings.set("linkup.terminal.command", false);
  registerTerminalEnvironment(context({ environmentVariableCollection: all }), window.linkup);
  window.changed();
  expect(Object.fromEntries(variables)).toMatchObject({
    LINKUP_SESSION: "slim-gecko",
    LINKUP_URL: "https://slim-gecko.example.com/",
  });
  changeTo(window, { sessions: [] });
  expect(variables.size).toBe(0);
});

test("each folder's linkup.yaml is found, its errors counted, and the setting names another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "linkup-files-"));
  try {
    writeFileSync(join(folder, "linkup.yml"), "linkup: {}\n");
    resetEditor([{ name: "shop", path: folder }]);
    const found = new ConfigFiles();
    subscriptions.push(found);
    await found.ready();
    expect(found.files).toMatchObject([{ path: join(folder, "linkup.yml"), folder: "shop" }]);
    expect(found.files[0]!.errors).toBeGreaterThan(0);
    editor.settings.set("linkup.configPath", "none.yaml");
    const other = new ConfigFiles();
    subscriptions.push(other);
    await other.ready();
    expect(other.files).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("other extensions see the sessions, route and stop them, and start none in Restricted Mode", async () => {
  const window = openWindow(running());
  const api = createApi(window.linkup);
  expect(api.sessions.map(({ name }) => name)).toEqual(["slim-gecko"]);
  await api.route(["web"], "local");
  await api.stop();
  expect(window.asked).toEqual([
    `route {"configPath":"${CONFIG.path}"} ["web"] "local"`,
    `stop {"configPath":"${CONFIG.path}"}`,
  ]);
  editor.trusted = false;
  await expect(api.start()).rejects.toThrow("The workspace is not trusted");
});
