/** Tasks of type `linkup`: start the session and be ready when it is, for `preLaunchTask` and compound tasks. */
import * as vscode from "vscode";
import { problemOf } from "../../manager/model/problem.ts";
import { configOf } from "../config-files.ts";
import type { Linkup } from "../linkup.ts";
import { sessionOf } from "../window-model.ts";
import { t } from "../words.ts";
import { failedText, readyText, STARTING, STOPPED } from "./task-text.ts";

interface Definition extends vscode.TaskDefinition {
  type: "linkup";
  kind?: "tunneled" | "isolated";
}

/** One for each folder with a linkup.yaml. */
export async function startTasks(linkup: Linkup): Promise<vscode.Task[]> {
  await linkup.configs.ready();
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders
    .filter((folder) => configOf(folder, linkup.model.configs))
    .map((folder) => task(linkup, folder, { type: "linkup" }));
}

/** As tasks.json defines it. */
export function definedTask(linkup: Linkup, { definition, scope }: vscode.Task): vscode.Task | undefined {
  const folder = typeof scope === "object" ? scope : vscode.workspace.workspaceFolders?.[0];
  return folder && task(linkup, folder, definition as Definition);
}

function task(linkup: Linkup, folder: vscode.WorkspaceFolder, definition: Definition): vscode.Task {
  const run = new vscode.CustomExecution(async () => new SessionTerminal(linkup, folder, definition));
  const result = new vscode.Task(definition, folder, "start", "linkup", run, "$linkup");
  result.isBackground = true;
  result.detail = t("Starts the session; ready once the session is running");
  return result;
}

/** Prints the session's progress. Ending the task stops the session if the task started it. */
class SessionTerminal implements vscode.Pseudoterminal {
  readonly #linkup: Linkup;
  readonly #folder: vscode.WorkspaceFolder;
  readonly #definition: Definition;
  readonly #written = new vscode.EventEmitter<string>();
  readonly #closed = new vscode.EventEmitter<number>();
  #following: vscode.Disposable | undefined;
  #started: string | undefined;
  readonly onDidWrite = this.#written.event;
  readonly onDidClose = this.#closed.event;

  constructor(linkup: Linkup, folder: vscode.WorkspaceFolder, definition: Definition) {
    this.#linkup = linkup;
    this.#folder = folder;
    this.#definition = definition;
  }

  async open(): Promise<void> {
    this.#print(STARTING);
    await this.#linkup.configs.ready();
    const config = configOf(this.#folder, this.#linkup.model.configs);
    const path = config?.path ?? this.#folder.uri.fsPath;
    try {
      const session = await this.#start(path);
      this.#print(session ? readyText(session) : STOPPED);
      if (!session) return this.#closed.fire(0);
      this.#endWithSession(path);
    } catch (error) {
      this.#print(failedText(path, problemOf(error, "config-invalid")));
      this.#closed.fire(1);
    }
  }

  close(): void {
    this.#following?.dispose();
    const configPath = this.#started;
    if (configPath) this.#stop(configPath).catch((error: Error) => this.#linkup.log.error(error));
  }

  async #stop(configPath: string): Promise<void> {
    await (await this.#linkup.manager).stop({ configPath });
  }

  async #start(path: string) {
    const known = sessionOf(this.#linkup.model, path);
    if (known?.state === "running") return known;
    if (!vscode.workspace.isTrusted)
      throw new Error(t("The workspace is not trusted: Linkup starts nothing in it."));
    const session = await this.#linkup.start(path, this.#definition.kind);
    if (session) this.#started = path;
    return session;
  }

  /** Ends the task when the session ends, no matter who stopped it. */
  #endWithSession(path: string): void {
    const look = () => {
      if (sessionOf(this.#linkup.model, path)) return;
      this.#started = undefined;
      this.#following?.dispose();
      this.#print(STOPPED);
      this.#closed.fire(0);
    };
    this.#following = this.#linkup.onDidChange(look);
    // It may have been stopped before we listened.
    look();
  }

  #print(text: string): void {
    this.#written.fire(`${text.replaceAll("\n", "\r\n")}\r\n`);
  }
}
