/** The linkup.yaml of each workspace folder, with its services and errors. */
import * as vscode from "vscode";
import { CONFIG_NAMES } from "../node/config-names.ts";
import { setting, settingChanged } from "./settings.ts";
import type { ConfigFile } from "./window-model.ts";

/** True when the file name is that of a linkup.yaml, in any folder. */
export function isConfigName({ path }: vscode.Uri): boolean {
  return CONFIG_NAMES.includes(path.split("/").at(-1)!);
}

/** Debounce: editors and version control write a file in several steps. */
const DEBOUNCE_MS = 100;

/** Finds the files and watches them. */
export class ConfigFiles implements vscode.Disposable {
  #files: readonly ConfigFile[] = [];
  #loading: Promise<void> | undefined;
  #reloadRequested = false;
  #timer: NodeJS.Timeout | undefined;
  #saved = new Set<string>();
  readonly #changed = new vscode.EventEmitter<readonly ConfigFile[]>();
  readonly #savedFile = new vscode.EventEmitter<string>();
  readonly #disposables: vscode.Disposable[] = [this.#changed, this.#savedFile];

  /** Fires when the files, their services or their errors have changed. */
  readonly onDidChange = this.#changed.event;
  /** Fires with the absolute path of a file whose content on disk has changed. */
  readonly onDidSave = this.#savedFile.event;

  constructor() {
    const watcher = vscode.workspace.createFileSystemWatcher("**/*.{yaml,yml}");
    const onFileEvent = (uri: vscode.Uri) => {
      const known = this.#files.some(({ path }) => path === uri.fsPath);
      if (known) this.#saved.add(uri.fsPath);
      if (known || isConfigName(uri)) this.#scheduleReload();
    };
    this.#disposables.push(
      watcher,
      watcher.onDidChange(onFileEvent),
      watcher.onDidCreate(onFileEvent),
      watcher.onDidDelete(onFileEvent),
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.#scheduleReload()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (settingChanged(event, "configPath")) this.#scheduleReload();
      }),
    );
    void this.ready();
  }

  /** At most one per workspace folder, in the order of the folders. */
  get files(): readonly ConfigFile[] {
    return this.#files;
  }

  /** Resolves when all folders have been searched. */
  ready(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #scheduleReload(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#reload(), DEBOUNCE_MS);
  }

  async #reload(): Promise<void> {
    this.#reloadRequested = true;
    await this.#loading;
    if (!this.#reloadRequested) return;
    this.#reloadRequested = false;
    this.#loading = this.#load();
    await this.#loading;
  }

  async #load(): Promise<void> {
    const folders = vscode.workspace.workspaceFolders ?? [];
    const found = await Promise.all(folders.map(findConfig));
    const files = found.filter((file) => file !== undefined);
    const same = JSON.stringify(files) === JSON.stringify(this.#files);
    // A file that is new to this window may have changed since its session last read it.
    const known = new Set(this.#files.map(({ path }) => path));
    for (const { path } of files) if (!known.has(path)) this.#saved.add(path);
    this.#files = files;
    if (!same) this.#changed.fire(files);
    for (const path of this.#saved) if (files.some((file) => file.path === path)) this.#savedFile.fire(path);
    this.#saved.clear();
  }
}

/** Undefined for folders without one, and for those that are not on this machine's disk: no process can run there. */
async function findConfig(folder: vscode.WorkspaceFolder): Promise<ConfigFile | undefined> {
  if (folder.uri.scheme !== "file") return undefined;
  const named = setting("configPath", folder);
  for (const name of named ? [named] : CONFIG_NAMES) {
    const uri = isAbsolute(name) ? vscode.Uri.file(name) : vscode.Uri.joinPath(folder.uri, name);
    const file = await read(uri);
    if (file === "missing") continue;
    if (file === "unreadable") return { path: uri.fsPath, folder: folder.name, services: [], errors: 1 };
    const { parseConfig } = await import("../core/config/parse-config.ts");
    const { config, diagnostics: problems } = parseConfig(file.text);
    const services = (config?.services ?? []).map(({ name, remote, local, directory, run }) => ({
      name,
      remote,
      local,
      ...(directory === undefined ? {} : { directory }),
      ...(run === undefined ? {} : { run }),
    }));
    const errors = problems.filter(({ severity }) => severity === "error");
    const start = errors[0]?.range.start;
    const firstError = start && { firstError: { line: start.line, column: start.column } };
    return { path: uri.fsPath, folder: folder.name, services, errors: errors.length, ...firstError };
  }
  return undefined;
}

function isAbsolute(path: string): boolean {
  return /^([/\\]|[a-z]:[/\\])/i.test(path);
}

/** `unreadable`: it is there, and may not be read or is no file; opening it says why. */
async function read(uri: vscode.Uri): Promise<{ text: string } | "missing" | "unreadable"> {
  try {
    return { text: new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)) };
  } catch (error) {
    const isMissing = error instanceof vscode.FileSystemError && error.code === "FileNotFound";
    return isMissing ? "missing" : "unreadable";
  }
}
