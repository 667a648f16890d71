/** Create linkup.yaml: a working template. */
import * as vscode from "vscode";
import type { Linkup } from "../linkup.ts";
import { t } from "../words.ts";
import { configTemplate } from "./template.ts";

export async function createConfig(linkup: Linkup): Promise<void> {
  await linkup.configs.ready();
  const folders = vscode.workspace.workspaceFolders ?? [];
  const folder =
    folders.length > 1
      ? await vscode.window.showWorkspaceFolderPick({ placeHolder: t("Which folder?") })
      : folders[0];
  if (!folder) {
    if (folders.length > 0) return;
    const open = t("Open Folder…");
    const choice = await vscode.window.showInformationMessage(
      t("Open a folder first: linkup.yaml belongs into one."),
      open,
    );
    if (choice === open) await vscode.commands.executeCommand("workbench.action.files.openFolder");
    return;
  }
  const uri = vscode.Uri.joinPath(folder.uri, "linkup.yaml");
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(uri, { ignoreIfExists: true, contents: new TextEncoder().encode(configTemplate()) });
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(uri);
}
