/** The environment of integrated terminals: the session's variables, and the `linkup` command. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import * as vscode from "vscode";
import { configOf, namedFile } from "../config-files.ts";
import type { Linkup } from "../linkup.ts";
import { setting, settingChanged } from "../settings.ts";
import { sessionOf } from "../window-model.ts";
import { t } from "../words.ts";
import { commandScripts } from "./command-scripts.ts";
import { terminalVariables } from "./variables.ts";

export function registerTerminalEnvironment(context: vscode.ExtensionContext, linkup: Linkup): void {
  const all = context.environmentVariableCollection;
  // Not persisted: another window may have another session, or none.
  all.persistent = false;
  all.description = t("The session of this workspace, and the `linkup` command");
  /** The variables last set. Setting them again makes VS Code ask the user to restart every terminal. */
  let last = "";
  const update = () => {
    const folders = vscode.workspace.workspaceFolders ?? [];
    const wanted = folders.map((folder) => ({ folder, variables: variablesOf(folder, linkup) }));
    const text = JSON.stringify(wanted.map(({ folder, variables }) => [folder.uri.toString(), variables]));
    if (text === last) return;
    last = text;
    for (const { folder, variables } of wanted) {
      const collection = all.getScoped({ workspaceFolder: folder });
      collection.clear();
      for (const [name, value] of Object.entries(variables)) collection.replace(name, value);
    }
  };
  const command = () =>
    void offerCommand(context, all).catch((error: Error) =>
      linkup.log.warn(`The linkup command: ${error.message}`),
    );
  context.subscriptions.push(
    linkup.onDidChange(update),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (settingChanged(event, "terminal.environment")) update();
      if (settingChanged(event, "terminal.command")) command();
    }),
  );
  command();
}

function variablesOf(folder: vscode.WorkspaceFolder, { model }: Linkup): Record<string, string> {
  if (!setting("terminal.environment")) return {};
  const config = configOf(folder, model.configs);
  // Without the setting, the command finds the file by itself.
  const file = config && namedFile(folder) ? { LINKUP_CONFIG: config.path } : {};
  return { ...file, ...terminalVariables(config && sessionOf(model, config.path)) };
}

/** Appends `linkup` to the PATH, so that the user's own installation takes precedence. */
async function offerCommand(
  context: vscode.ExtensionContext,
  all: vscode.GlobalEnvironmentVariableCollection,
): Promise<void> {
  const cli = join(context.extensionPath, "dist", "cli.js");
  const { variables, sh, cmd } = commandScripts(process.execPath, cli);
  const isWindows = process.platform === "win32";
  if (!setting("terminal.command")) {
    for (const name of ["PATH", ...Object.keys(variables)]) all.delete(name);
    return;
  }
  const folder = join(context.globalStorageUri.fsPath, "bin");
  await mkdir(folder, { recursive: true });
  const script = join(folder, "linkup");
  await writeFile(script, sh);
  await chmod(script, 0o755);
  if (isWindows) {
    await writeFile(join(folder, "linkup.cmd"), cmd);
    for (const [name, value] of Object.entries(variables)) all.replace(name, value);
  }
  all.append("PATH", `${delimiter}${folder}`);
}
