/** Keeps the facts of open files up to date: sessions from the manager, listening ports by polling while a file is visible. */
import * as vscode from "vscode";
import { isFileBeside } from "../../../core/config/checks/check-overrides.ts";
import { MAX_OVERRIDES } from "../../../core/session/session-limits.ts";
import type { Linkup } from "../../linkup.ts";
import { type EditorFacts, NO_FACTS } from "../document/editor-facts.ts";
import { isTracked } from "../document/git-tracked.ts";
import { listeningPorts } from "../document/listening-ports.ts";
import type { ConfigDocuments } from "./config-documents.ts";

const PORTS_MS = 3_000;

export class LiveFacts implements vscode.Disposable {
  readonly #linkup: Linkup;
  readonly #documents: ConfigDocuments;
  readonly #tracked = new Map<string, boolean>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #disposables: vscode.Disposable[];
  readonly #missing = new Map<string, ReadonlySet<string>>();
  #listening: ReadonlySet<number> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  /** Fires when a fact has changed. */
  readonly onDidChange = this.#changed.event;

  constructor(linkup: Linkup, documents: ConfigDocuments) {
    this.#linkup = linkup;
    this.#documents = documents;
    const { workspace, window } = vscode;
    this.#disposables = [
      this.#changed,
      linkup.onDidChange(() => this.#changed.fire()),
      window.onDidChangeVisibleTextEditors(() => void this.#pollPorts()),
      window.onDidChangeWindowState(() => void this.#pollPorts()),
      workspace.onDidOpenTextDocument((document) => void this.#checkTracked(document)),
      workspace.onDidSaveTextDocument((document) => void this.#checkTracked(document)),
      workspace.onDidGrantWorkspaceTrust(() => void this.#checkAllTracked()),
      workspace.onDidCloseTextDocument(({ uri }) => {
        this.#tracked.delete(uri.toString());
        this.#missing.delete(uri.toString());
      }),
    ];
    void this.#checkAllTracked();
    void this.#pollPorts();
  }

  of({ uri }: Pick<vscode.TextDocument, "uri">): EditorFacts {
    const { sessions } = this.#linkup.model.snapshot;
    return {
      session: sessions.find(({ configPath, secondary }) => configPath === uri.fsPath && !secondary),
      sessionNames: sessions.flatMap(({ name }) => name ?? []),
      listening: this.#listening,
      tracked: this.#tracked.get(uri.toString()) ?? false,
      missingFiles: this.#missing.get(uri.toString()) ?? NO_FACTS.missingFiles,
    };
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  /** Polls while a linkup.yaml is visible, its files too. */
  async #pollPorts(): Promise<void> {
    clearTimeout(this.#timer);
    const seen = vscode.window.visibleTextEditors
      .map(({ document }) => document)
      .filter((document) => this.#documents.has(document));
    if (this.#looking || seen.length === 0 || !vscode.window.state.focused) return;
    this.#looking = true;
    const found = await listeningPorts();
    for (const document of seen) await this.#checkFiles(document);
    this.#looking = false;
    if (!sameSet(found, this.#listening)) {
      this.#listening = found;
      this.#changed.fire();
    }
    this.#timer = setTimeout(() => void this.#pollPorts(), PORTS_MS);
  }

  /** Of the files that overrides respond with. */
  async #checkFiles(document: vscode.TextDocument): Promise<void> {
    if (document.uri.scheme !== "file") return;
    const missing = new Set<string>();
    for (const { file } of this.#documents.model(document).outline.overrides.slice(0, MAX_OVERRIDES)) {
      if (!file || !isFileBeside(file.text)) continue;
      const uri = vscode.Uri.joinPath(document.uri, "..", file.text);
      const isThere = await vscode.workspace.fs.stat(uri).then(
        () => true,
        () => false,
      );
      if (!isThere) missing.add(file.text);
    }
    const key = document.uri.toString();
    if (document.isClosed || sameSet(missing, this.#missing.get(key) ?? NO_FACTS.missingFiles)) return;
    this.#missing.set(key, missing);
    this.#changed.fire();
  }

  async #checkAllTracked(): Promise<void> {
    for (const document of vscode.workspace.textDocuments) await this.#checkTracked(document);
  }

  async #checkTracked(document: vscode.TextDocument): Promise<void> {
    // Starts no program (git) in an untrusted workspace.
    if (!vscode.workspace.isTrusted || document.uri.scheme !== "file" || !this.#documents.has(document))
      return;
    const key = document.uri.toString();
    const tracked = await isTracked(document.uri.fsPath);
    if (document.isClosed || this.#tracked.get(key) === tracked) return;
    this.#tracked.set(key, tracked);
    this.#changed.fire();
  }
}

function sameSet<T>(a: ReadonlySet<T> | undefined, b: ReadonlySet<T> | undefined): boolean {
  return (
    a === b ||
    (a !== undefined && b !== undefined && a.size === b.size && [...a].every((port) => b.has(port)))
  );
}
