/** The linkup.yaml of each workspace folder, with its services and errors. */
import { basename, dirname, resolve } from "node:path";
import * as vscode from "vscode";
import { configText } from "../core/config/config-text.ts";
import { CONFIG_NAMES } from "../node/config-names.ts";
import { expandPath } from "./expand-path.ts";
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
  /** By the path of a file that the setting names: only files in the workspace's folders are watched otherwise. */
  readonly #named = new Map<string, vscode.Disposable>();
  readonly #changed = new vscode.EventEmitter<readonly ConfigFile[]>();
  readonly #savedFile = new vscode.EventEmitter<string>();
  readonly #disposables: vscode.Disposable[] = [this.#changed, this.#savedFile];

  /** Fires when the files, their services or their errors have changed. */
  readonly onDidChange = this.#changed.event;
  /** Fires with the absolute path of a file whose content on disk has changed. */
  readonly onDidSave = this.#savedFile.event;

  constructor() {
    this.#disposables.push(
      // In this form VS Code compares the ends of names, without a regular expression.
      this.#watch("{**/*.yaml,**/*.yml}"),
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
    for (const disposable of [...this.#disposables, ...this.#named.values()]) disposable.dispose();
  }

  #watch(pattern: vscode.GlobPattern): vscode.Disposable {
    const watcher = vscode.workspace.createFileSystemWatcher(pattern);
    const onFileEvent = (uri: vscode.Uri) => {
      const known = this.#files.some(({ path }) => path === uri.fsPath);
      if (known) this.#saved.add(uri.fsPath);
      if (known || isConfigName(uri) || this.#named.has(uri.fsPath)) this.#scheduleReload();
    };
    return vscode.Disposable.from(
      watcher,
      watcher.onDidChange(onFileEvent),
      watcher.onDidCreate(onFileEvent),
      watcher.onDidDelete(onFileEvent),
    );
  }

  #watchNamed(folders: readonly vscode.WorkspaceFolder[]): void {
    const named = new Set(folders.flatMap((folder) => namedFile(folder)?.fsPath ?? []));
    for (const [path, watcher] of this.#named) {
      if (named.has(path)) continue;
      watcher.dispose();
      this.#named.delete(path);
    }
    for (const path of named) {
      if (this.#named.has(path)) continue;
      const folder = vscode.Uri.file(dirname(path));
      this.#named.set(path, this.#watch(new vscode.RelativePattern(folder, basename(path))));
    }
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
    // No process can run in a folder that is not on this machine's disk.
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
    this.#watchNamed(folders);
    const found = (await Promise.all(folders.map(findConfig))).filter((file) => file !== undefined);
    // A setting of the workspace names one file for all its folders.
    const files = found.filter(({ path }, i) => found.findIndex((file) => file.path === path) === i);
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

/** Undefined for folders without one. */
async function findConfig(folder: vscode.WorkspaceFolder): Promise<ConfigFile | undefined> {
  const named = namedFile(folder);
  for (const uri of named ? [named] : filesIn(folder)) {
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

/** The linkup.yaml of this folder, of these files. */
export function configOf(
  folder: vscode.WorkspaceFolder,
  files: readonly ConfigFile[],
): ConfigFile | undefined {
  const named = namedFile(folder);
  const paths = (named ? [named] : filesIn(folder)).map(({ fsPath }) => fsPath);
  return files.find(({ path }) => paths.includes(path));
}

function filesIn(folder: vscode.WorkspaceFolder): vscode.Uri[] {
  return CONFIG_NAMES.map((name) => vscode.Uri.joinPath(folder.uri, name));
}

/** The file that the setting names. */
export function namedFile(folder: vscode.WorkspaceFolder): vscode.Uri | undefined {
  const path = expandPath(setting("configPath", folder), folder.uri.fsPath);
  return path === "" ? undefined : vscode.Uri.file(resolve(folder.uri.fsPath, path));
}

/** `unreadable`: it is there, and may not be read or is no file; opening it says why. */
async function read(uri: vscode.Uri): Promise<{ text: string } | "missing" | "unreadable"> {
  try {
    return { text: configText(await vscode.workspace.fs.readFile(uri)) };
  } catch (error) {
    const isMissing = error instanceof vscode.FileSystemError && error.code === "FileNotFound";
    return isMissing ? "missing" : "unreadable";
  }
}
