/** A window of VS Code with the extension's commands, on the stand-in of the editor and a manager that records what it is asked. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as vscode from "vscode";
import { registerCommands } from "../../extension/commands/register-commands.ts";
import { type Command, commandId } from "../../extension/ids.ts";
import { JoinedList } from "../../extension/joined-list.ts";
import { JoinedSessions } from "../../extension/joined-sessions.ts";
import { Linkup } from "../../extension/linkup.ts";
import { LogChannels } from "../../extension/log-channels.ts";
import type { Row } from "../../extension/views/rows.ts";
import type { ConfigFile, WindowModel } from "../../extension/window-model.ts";
import type { Manager, Selector } from "../../manager/manager.ts";
import manifest from "../../package.json" with { type: "json" };
import { sessionView } from "./session-view.ts";
import { commands, EventEmitter, editor, logChannel, resetEditor, Uri } from "./vscode.ts";

export interface ExtensionWindow {
  linkup: Linkup;
  model: WindowModel;
  /** What the manager was asked: `stop {"name":"slim-gecko"}`. */
  asked: string[];
  log: ReturnType<typeof logChannel>;
  secrets: Map<string, string>;
  /** Of the extension, on the disk. */
  storageFolder: string;
  changed(): void;
  run(command: Command, row?: Row, rows?: Row[]): Promise<void>;
}

export const SESSION = sessionView();

export function openWindow(
  more: Partial<WindowModel> = {},
  answers: Record<string, unknown> = {},
  /** The state folder, with the logs. */
  home?: string,
): ExtensionWindow {
  const [config] = more.configs ?? [];
  resetEditor(config ? [{ name: config.folder, path: config.path.replace(/\/[^/]+$/, "") }] : []);
  const asked: string[] = [];
  const log = logChannel();
  const secrets = new Map<string, string>();
  const memory = new Map<string, unknown>();
  const listeners = new Set<() => void>();
  const model: WindowModel = {
    snapshot: { sessions: [], components: [], problems: [] },
    configs: [],
    starting: new Set(),
    trusted: true,
    ...more,
  };
  const manager = new Proxy(
    {},
    {
      get: (_, method) => {
        // A promise would be asked whether it is one.
        if (method === "then") return undefined;
        return async (...args: unknown[]) => {
          const answer = answers[String(method)];
          if (method === "otherUsers") return answer ?? { windows: 0, terminals: 0 };
          // How long to wait is not what is asked for: a signal, and the timeout after it.
          const limits = args.findIndex((arg) => arg instanceof AbortSignal);
          const told = limits < 0 ? args : args.slice(0, limits);
          asked.push([String(method), ...told.map((arg) => JSON.stringify(arg))].join(" "));
          if (answer instanceof Error) throw answer;
          return typeof answer === "function" ? answer(...args) : answer;
        };
      },
    },
  );
  const storage = secretStorage(secrets);
  const storageFolder = mkdtempSync(join(tmpdir(), "linkup-window-"));
  const joined = new JoinedSessions(new JoinedList(storage, storageFolder), async () => manager as Manager);
  joined.follow();
  joined.onDidChange(() => {
    model.joined = joined.views;
    for (const listener of listeners) listener();
  });
  const linkup = {
    joined,
    model,
    log,
    configs: { files: model.configs, ready: async () => {} },
    manager: Promise.resolve(manager),
    async start(path: string, kind = "tunneled", { access = "" } = {}) {
      asked.push(`start ${path} ${kind} ${access}`.trimEnd());
      return SESSION;
    },
    stop: (selector: Selector) => Linkup.prototype.stop.call(linkup, selector),
    cancel: (path: string) => void asked.push(`cancel ${path}`),
    confirmWorker: async () => true,
    onDidChange(listener: () => void) {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    },
  } as unknown as Linkup;
  const context = {
    subscriptions: [],
    extensionPath: "/extension",
    extensionUri: Uri.file("/extension"),
    workspaceState: {
      get: (key: string) => memory.get(key),
      update: async (key: string, value: unknown) => void memory.set(key, value),
    },
    extension: { packageJSON: manifest },
    secrets: storage,
  } as unknown as vscode.ExtensionContext;
  const onDidChangeCheckboxState = () => ({ dispose() {} });
  const view = { selection: [], onDidChangeCheckboxState } as unknown as vscode.TreeView<Row>;
  const channels = new LogChannels(linkup, home ?? "/nowhere");
  registerCommands({ context, linkup, view, channels, testRoute: async () => {} });
  return {
    linkup,
    model,
    asked,
    log,
    secrets,
    storageFolder,
    changed() {
      for (const listener of listeners) listener();
    },
    run: async (command, row, rows) => void (await commands.executeCommand(commandId(command), row, rows)),
  };
}

/** What `activate` is handed, with the extension's files and storage below `folder`. `path`: what is appended to that of terminals. */
export function extensionContext(folder: string, path: string[] = []) {
  const subscriptions: { dispose(): unknown }[] = [];
  return {
    subscriptions,
    extensionPath: folder,
    extensionUri: Uri.file(folder),
    globalStorageUri: Uri.file(join(folder, "storage")),
    extension: { packageJSON: manifest },
    secrets: secretStorage(new Map()),
    workspaceState: { get: (_: string, otherwise: unknown) => otherwise, update: async () => {} },
    environmentVariableCollection: {
      getScoped: () => ({ clear() {}, replace() {} }),
      append: (_: string, value: string) => path.push(value),
      delete() {},
    },
  } as unknown as vscode.ExtensionContext;
}

/** The editor's store of secrets, over this map. */
export function secretStorage(secrets: Map<string, string>): vscode.SecretStorage {
  const stored = new EventEmitter<{ key: string }>();
  return {
    get: async (key: string) => secrets.get(key),
    async store(key: string, value: string) {
      secrets.set(key, value);
      stored.fire({ key });
    },
    async delete(key: string) {
      secrets.delete(key);
      stored.fire({ key });
    },
    onDidChange: stored.event,
  } as unknown as vscode.SecretStorage;
}

/** Writes a linkup.yaml with one service into this folder, and returns its path. */
export function writeSmallConfig(folder: string): string {
  const path = join(folder, "linkup.yaml");
  writeFileSync(
    path,
    `linkup:
  worker_url: https://linkup.example.com
services:
  - name: web
    remote: https://web.example.com
    local: http://localhost:3000
domains:
  - domain: example.com
    default_service: web
`,
  );
  return path;
}

export function configFile(path: string, more: Partial<ConfigFile> = {}): ConfigFile {
  return { path, folder: "shop", services: [], errors: 0, ...more };
}

export { editor };
