/** Keeps the facts of open files up to date: sessions from the manager, listening ports by polling while a file is visible. */
import * as vscode from "vscode";
import type { Linkup } from "../../linkup.ts";
import type { EditorFacts } from "../document/editor-facts.ts";
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
      workspace.onDidCloseTextDocument(({ uri }) => this.#tracked.delete(uri.toString())),
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
    };
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  /** Polls while a linkup.yaml is visible. */
  async #pollPorts(): Promise<void> {
    clearTimeout(this.#timer);
    const seen = vscode.window.visibleTextEditors.some(({ document }) => this.#documents.has(document));
    if (this.#looking || !seen || !vscode.window.state.focused) return;
    this.#looking = true;
    const found = await listeningPorts();
    this.#looking = false;
    if (!sameSet(found, this.#listening)) {
      this.#listening = found;
      this.#changed.fire();
    }
    this.#timer = setTimeout(() => void this.#pollPorts(), PORTS_MS);
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

function sameSet(a: ReadonlySet<number> | undefined, b: ReadonlySet<number> | undefined): boolean {
  return (
    a === b ||
    (a !== undefined && b !== undefined && a.size === b.size && [...a].every((port) => b.has(port)))
  );
}
