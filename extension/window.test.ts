import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type * as vscode from "vscode";
import {
  configFile,
  type ExtensionWindow,
  editor,
  openWindow,
  SESSION,
} from "../test/support/extension-window.ts";
import { commands, resetEditor, Uri, workspace } from "../test/support/vscode.ts";
import { ConfigFiles, configOf } from "./config-files.ts";
import { registerContextKeys } from "./context-keys.ts";
import { registerProblemWatch } from "./problem-watch.ts";
import { createApi } from "./public-api.ts";
import { shownProblems } from "./report-problem.ts";
import { registerTerminalEnvironment } from "./terminal/environment.ts";
import { registerSessionsView } from "./views/sessions-view.ts";
import { registerStatusBar } from "./views/status-bar.ts";
import { waitFor } from "./waiting.ts";
import type { ConfigFile } from "./window-model.ts";

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
  vi.restoreAllMocks();
});

test("the view shows the session, counts what is unhealthy, and sets what menus ask about", async () => {
  const window = openWindow(running());
  registerContextKeys(context(), window.linkup);
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

test("VS Code is told what menus ask about when it has changed, not again with each change of something else", async () => {
  const window = openWindow(running());
  registerContextKeys(context(), window.linkup);
  await expect.poll(() => editor.context.get("linkup.systemChanged")).toBe(false);
  const told = vi.spyOn(commands, "executeCommand");
  changeTo(window, {});
  expect(told.mock.calls).toEqual([]);
  const [session] = window.model.snapshot.sessions;
  changeTo(window, { sessions: [{ ...session!, access: "private" }] });
  expect(told.mock.calls).toEqual([["setContext", "linkup.hasPrivate", true]]);
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

describe("notifications of problems", () => {
  const TUNNEL = {
    code: "tunnel-failed",
    title: "The tunnel is down",
    message: "cloudflared ended 3 times.",
    actions: [
      { command: "showLogs", title: "Show Logs" },
      { command: "restart", title: "Try Again" },
    ],
    configPath: CONFIG.path,
  };
  let memory: Map<string, unknown>;
  const workspaceState = {
    get: (key: string, otherwise: unknown) => memory.get(key) ?? otherwise,
    update: async (key: string, value: unknown) => void memory.set(key, value),
  };
  beforeEach(() => {
    vi.useFakeTimers();
    shownProblems.clear();
    memory = new Map();
  });
  const watched = (model = running()) => {
    const window = openWindow(model);
    registerProblemWatch(context({ workspaceState }), window.linkup);
    return window;
  };
  const shown = () => editor.notifications.map(({ text, button }) => `${text} [${button}]`);
  const pass = (ms = 3_000) => vi.advanceTimersByTimeAsync(ms);

  test("once it lasts, once only, with one action, and no longer than its cause", async () => {
    const window = watched();
    changeTo(window, { problems: [TUNNEL] });
    changeTo(window, { problems: [] });
    await pass();
    expect(shown()).toEqual([]);
    changeTo(window, { problems: [TUNNEL] });
    await pass();
    // Another count, the same trouble.
    changeTo(window, { problems: [{ ...TUNNEL, message: "cloudflared ended 4 times." }] });
    await pass();
    expect(shown()).toEqual(["cloudflared ended 3 times. [Show Logs]"]);
    changeTo(window, { problems: [] });
    await pass(0);
    expect(shown()).toEqual([]);
    // Long after, it is another trouble.
    await pass(60_000);
    changeTo(window, { problems: [] });
    changeTo(window, { problems: [TUNNEL] });
    await pass();
    expect(shown()).toHaveLength(1);
    editor.notifications[0]!.cancel();
    await pass(0);
    expect(editor.executed.map(({ command }) => command)).toContain("linkup.showLogs");
  });

  test("only where the session is, and none where the setting says so", async () => {
    const other = watched({ ...running(), configs: [configFile("/blog/linkup.yaml", { folder: "blog" })] });
    changeTo(other, {
      problems: [TUNNEL, { ...TUNNEL, configPath: undefined, message: "The disk is full." }],
    });
    await pass();
    expect(editor.titles).toEqual([]);
    const window = watched();
    editor.settings.set("linkup.notifications", false);
    changeTo(window, { problems: [TUNNEL] });
    await pass();
    expect(editor.titles).toEqual([]);
  });

  test("an old trouble is not told again after a reload", async () => {
    const OLD = { ...TUNNEL, message: "The tunnel was lost." };
    changeTo(watched(), { problems: [OLD] });
    await pass();
    expect(editor.titles).toEqual(["The tunnel was lost."]);
    shownProblems.clear();
    const reloaded = watched();
    // What was found before is found again a while later.
    changeTo(reloaded, { problems: [] });
    await pass(1_000);
    changeTo(reloaded, { problems: [OLD] });
    await pass();
    expect(editor.titles).toEqual([]);
  });

  test("text of others has no links", async () => {
    const window = watched();
    changeTo(window, { problems: [{ ...TUNNEL, message: "[Fix](command:evil)" }] });
    await pass();
    expect(editor.titles).toEqual(["[Fix] (command:evil)"]);
  });
});

test("a wait is shown after 400 ms, can be cancelled after three seconds, and is gone when it ends", async () => {
  vi.useFakeTimers();
  resetEditor();
  const cancelled = waitFor("Routing web to local", (signal) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(signal.reason));
    return promise;
  });
  await vi.advanceTimersByTimeAsync(399);
  expect(editor.titles).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(editor.titles).toEqual(["Routing web to local"]);
  expect(editor.notifications).toEqual([]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(editor.notifications).toMatchObject([{ text: "Routing web to local", button: "Cancel" }]);
  editor.notifications[0]!.cancel();
  expect(await cancelled).toBeUndefined();
  await vi.advanceTimersByTimeAsync(0);
  expect(editor.notifications).toEqual([]);
  await expect(waitFor("…", async () => Promise.reject(new Error("boom")))).rejects.toThrow("boom");
});

test("a running session whose file is broken is marked in the status bar", () => {
  const window = openWindow({ ...running(), configs: [{ ...CONFIG, errors: 2 }] });
  registerStatusBar(context(), window.linkup);
  window.changed();
  expect(editor.statusBar[0]!.text).toBe("$(link) slim-gecko $(warning)");
});

/** The variables of a folder's terminals, kept up to date from now on. */
function terminalVariables(window: ReturnType<typeof openWindow>): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  const scoped = {
    clear: () => variables.clear(),
    replace: (name: string, value: string) => variables.set(name, value),
  };
  const all = { getScoped: () => scoped, append() {}, delete() {} };
  editor.settings.set("linkup.terminal.command", false);
  registerTerminalEnvironment(context({ environmentVariableCollection: all }), window.linkup);
  window.changed();
  return variables;
}

test("terminals know the session of their folder, and no longer when it ends", () => {
  const window = openWindow(running());
  const variables = terminalVariables(window);
  expect(Object.fromEntries(variables)).toMatchObject({
    LINKUP_SESSION: "slim-gecko",
    LINKUP_URL: "https://slim-gecko.example.com/",
  });
  changeTo(window, { sessions: [] });
  expect(variables.size).toBe(0);
});

test("terminals of a folder whose setting names a file use it, as the window does", () => {
  const window = openWindow({ ...running(), configs: [configFile("/system/linkup.yaml")] });
  resetEditor([{ name: "shop", path: "/shop" }]);
  editor.settings.set("linkup.configPath", "/system/linkup.yaml");
  const variables = terminalVariables(window);
  expect(Object.fromEntries(variables)).toEqual({ LINKUP_CONFIG: "/system/linkup.yaml" });
});

test("a terminal does not take the session of a folder within its own", () => {
  const window = openWindow(running());
  resetEditor([{ name: "root", path: "/" }]);
  expect(terminalVariables(window).size).toBe(0);
});

test("a terminal does not take the session of a folder whose name only starts the same", () => {
  const window = openWindow(running());
  resetEditor([{ name: "sho", path: "/sho" }]);
  const variables = terminalVariables(window);
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
    // As a file that may not be read: it is there, and the other folders' files are found.
    mkdirSync(join(folder, "none.yaml"));
    const unreadable = new ConfigFiles();
    subscriptions.push(unreadable);
    await unreadable.ready();
    expect(unreadable.files).toMatchObject([{ folder: "shop", services: [], errors: 1 }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a file that the setting names is followed outside of the workspace, too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "linkup-files-"));
  try {
    const [inside, outside] = [join(folder, "shop"), join(folder, "system.conf")];
    mkdirSync(inside);
    // As `>` of Windows PowerShell writes it.
    const text = `linkup: {worker_url: "https://linkup.example.com"}
services: [{name: web, remote: "https://web.example.com", local: "http://localhost:3000"}]
domains: [{domain: example.com, default_service: web}]
`;
    writeFileSync(outside, Buffer.from(`\ufeff${text}`, "utf16le"));
    const beside = { name: "blog", path: join(folder, "blog") };
    resetEditor([{ name: "shop", path: inside }, beside]);
    editor.settings.set("linkup.configPath", "$" + "{workspaceFolder}/../system.conf");
    const files = new ConfigFiles();
    await files.ready();
    expect(files.files).toMatchObject([{ errors: 0, services: [{ name: "web" }] }]);
    const { path } = files.files[0]!;
    expect(path).toBe(outside);
    const saved: string[] = [];
    files.onDidSave((file) => saved.push(file));
    const named = editor.watchers.find(({ pattern }) => typeof pattern !== "string")!;
    expect(named.pattern).toMatchObject({ pattern: "system.conf" });
    named.change(Uri.file(path));
    await expect.poll(() => saved).toEqual([path]);
    files.dispose();
    expect(editor.watchers).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a folder has its own file, whatever other folders are called, or the one that the setting names for all", () => {
  resetEditor([
    { name: "web", path: "/a/web" },
    { name: "web", path: "/b/web" },
  ]);
  const folders = workspace.workspaceFolders as unknown as vscode.WorkspaceFolder[];
  const found = (files: ConfigFile[]) => folders.map((folder) => configOf(folder, files)?.path);
  const own = [configFile("/a/web/linkup.yaml"), configFile("/b/web/linkup.yml")];
  expect(found(own)).toEqual(["/a/web/linkup.yaml", "/b/web/linkup.yml"]);
  editor.settings.set("linkup.configPath", "/system/linkup.yaml");
  expect(found([...own, configFile("/system/linkup.yaml")])).toEqual([
    "/system/linkup.yaml",
    "/system/linkup.yaml",
  ]);
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
