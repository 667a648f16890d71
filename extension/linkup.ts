/** The shared services of the extension: the manager, the workspace's files, and one change event for both. */
import * as vscode from "vscode";
import type { SessionAccess } from "../core/session/session-document.ts";
import type { Manager, ManagerOptions, Selector } from "../manager/manager.ts";
import type { SessionView, Snapshot } from "../manager/model/snapshot.ts";
import { ConfigFiles } from "./config-files.ts";
import { SESSIONS_VIEW } from "./ids.ts";
import type { JoinedList } from "./joined-list.ts";
import { JoinedSessions } from "./joined-sessions.ts";
import { withOwnPaths } from "./own-paths.ts";
import { setting } from "./settings.ts";
import { waitFor, waitUntilDone } from "./waiting.ts";
import type { RequestCounts, WindowModel } from "./window-model.ts";
import { t } from "./words.ts";

/** Before the manager is loaded. */
const EMPTY_SNAPSHOT: Snapshot = { sessions: [], components: [], problems: [] };

interface StartOptions {
  signal?: AbortSignal | undefined;
  /** Undefined: as the user chose before, or as the file says. */
  access?: SessionAccess | undefined;
}

export class Linkup implements vscode.Disposable {
  readonly configs: ConfigFiles;
  readonly joined: JoinedSessions;
  #log: vscode.LogOutputChannel | undefined;
  readonly #options: ManagerOptions;
  #manager: Promise<Manager> | undefined;
  #loaded: Manager | undefined;
  #requests: RequestCounts | undefined;
  readonly #starting = new Map<string, AbortController>();
  readonly #used = new vscode.EventEmitter<void>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #disposables: vscode.Disposable[];

  /** This window has to do with Linkup from now on: it has a linkup.yaml, or somebody has asked for what runs. Fires once. */
  readonly onDidUse = this.#used.event;
  /** The model has changed. */
  readonly onDidChange = this.#changed.event;

  constructor(options: Omit<ManagerOptions, "log">, joined: JoinedList) {
    this.joined = new JoinedSessions(joined, () => this.manager);
    this.configs = new ConfigFiles();
    this.#disposables = [
      this.configs,
      this.configs.onDidChange(() => {
        if (this.configs.files.length > 0) void this.manager;
        this.#changed.fire();
      }),
      this.joined,
      this.joined.onDidChange(() => this.#changed.fire()),
      this.configs.onDidSave((path) => void this.#applySavedConfig(path)),
      this.#used,
      this.#changed,
    ];
    let last = "";
    this.#options = {
      ...options,
      user: { ...options.user, files: () => this.#files() },
      log: (line) => {
        // Retries log the same line every few seconds.
        if (line !== last) this.log.info(line);
        last = line;
      },
    };
  }

  /** Loaded lazily: its code is large, and once loaded it watches the running sessions. */
  get manager(): Promise<Manager> {
    if (!this.#manager) {
      this.#manager = this.#load();
      this.#used.fire();
    }
    return this.#manager;
  }

  /** Made when there is something to say: VS Code lists it. */
  get log(): vscode.LogOutputChannel {
    if (!this.#log) {
      this.#log = vscode.window.createOutputChannel("Linkup", { log: true });
      this.#disposables.push(this.#log);
    }
    return this.#log;
  }

  /** Releases this window's lease. */
  async releaseLease(): Promise<void> {
    await (await this.#manager)?.dispose();
  }

  async #load(): Promise<Manager> {
    const { Manager } = await import("../manager/manager.ts");
    const manager = new Manager(this.#options);
    this.#loaded = manager;
    const changed = () => this.#changed.fire();
    this.#disposables.push(manager.onDidChange(changed));
    // An untrusted workspace shows its configuration and starts nothing.
    if (vscode.workspace.isTrusted) manager.watch();
    else
      this.#disposables.push(
        vscode.workspace.onDidGrantWorkspaceTrust(() => {
          manager.watch();
          changed();
        }),
      );
    return manager;
  }

  /** This window's files, also by the paths by which sessions know them. */
  #files(): string[] {
    const known = this.#loaded?.snapshot ?? EMPTY_SNAPSHOT;
    const own = withOwnPaths(known, this.configs.files).sessions;
    const others = known.sessions.filter(({ configPath }, i) => configPath !== own[i]!.configPath);
    return [
      ...this.configs.files.map(({ path }) => path),
      ...others.flatMap(({ configPath }) => configPath ?? []),
    ];
  }

  /** What the tree and the status bar tell of the requests. */
  showRequestCounts(counts: RequestCounts): void {
    this.#requests = counts;
    this.#changed.fire();
  }

  get model(): WindowModel {
    return {
      requests: this.#requests,
      snapshot: withOwnPaths(this.#loaded?.snapshot ?? EMPTY_SNAPSHOT, this.configs.files),
      configs: this.configs.files,
      starting: new Set(this.#starting.keys()),
      trusted: vscode.workspace.isTrusted,
      joined: this.joined.views,
    };
  }

  /**
   * Starts the session of this file; undefined when `cancel`, the user or `signal` ended that. Rejects with a LinkupError, also
   * when it takes longer than the setting allows.
   */
  async start(
    configPath: string,
    kind: "tunneled" | "isolated" = "tunneled",
    { signal, access }: StartOptions = {},
  ): Promise<SessionView | undefined> {
    this.cancel(configPath);
    const abort = new AbortController();
    const cancel = () => abort.abort();
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted) cancel();
    this.#starting.set(configPath, abort);
    this.#changed.fire();
    try {
      if (kind === "tunneled" && !(await this.confirmWorker(configPath))) return undefined;
      const target = setting("defaultTarget", vscode.Uri.file(configPath));
      const start = async (signal: AbortSignal) => {
        const manager = await this.manager;
        const known = await manager.knownPath(configPath);
        const request = { configPath: known, kind, target, ...(access ? { access } : {}) };
        return manager.start(request, signal, setting("timeouts.start") * 1_000);
      };
      const title = t("Starting the session of {0}", this.#nameOf(configPath));
      return await vscode.window.withProgress({ location: { viewId: SESSIONS_VIEW } }, () =>
        waitFor(title, start, abort.signal),
      );
    } catch (error) {
      if (abort.signal.aborted) return undefined;
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
      if (this.#starting.get(configPath) === abort) this.#starting.delete(configPath);
      this.#changed.fire();
    }
  }

  /**
   * Asks the user once whether the Worker that this file names may have the token of the environment or of the secret
   * storage: a cloned linkup.yaml names any it likes. False when the user refuses. Rejects with a LinkupError for a file
   * with errors.
   */
  async confirmWorker(configPath: string): Promise<boolean> {
    const manager = await this.manager;
    const origin = await manager.workerToConfirm(configPath);
    if (origin === undefined) return true;
    const send = t("Send Token");
    const question = t("Send your worker token to {0}?", origin);
    const detail = t("{0} names this Worker, which has never received your token.", configPath);
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, send)) !== send)
      return false;
    await manager.confirmWorker(origin);
    return true;
  }

  /** Stops a session; what is waited for is seen. Rejects with a LinkupError. */
  async stop(selector: Selector): Promise<void> {
    await waitUntilDone(t("Stopping the session"), async () => (await this.manager).stop(selector));
  }

  /** The name of the folder in the workspace that a file belongs to, or of the folder that it lies in. */
  #nameOf(configPath: string): string {
    const config = this.configs.files.find(({ path }) => path === configPath);
    return config?.folder ?? configPath.split(/[\\/]/).at(-2) ?? configPath;
  }

  cancel(configPath: string): void {
    this.#starting.get(configPath)?.abort();
  }

  dispose(): void {
    for (const abort of this.#starting.values()) abort.abort();
    for (const disposable of this.#disposables) disposable.dispose();
  }

  async #applySavedConfig(configPath: string): Promise<void> {
    if (!vscode.workspace.isTrusted) return;
    const manager = await this.manager;
    const change = async () => manager.configChanged(await manager.knownPath(configPath));
    await change().catch((error: Error) => this.log.error(error));
  }
}
