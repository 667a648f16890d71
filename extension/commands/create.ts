/** Create linkup.yaml: a working template, with the services that the workspace seems to have. */
import * as vscode from "vscode";
import type { FoundService } from "../../manager/discovery/find-services.ts";
import type { Linkup } from "../linkup.ts";
import { hostOf } from "../window-model.ts";
import { t } from "../words.ts";

/** Opens the one that is there already. */
export async function createConfig(linkup: Linkup): Promise<void> {
  await linkup.configs.ready();
  const folder = await chooseFolder();
  if (!folder) return;
  const uri = vscode.Uri.joinPath(folder.uri, "linkup.yaml");
  if (!(await exists(uri))) {
    const services = await chooseServices(folder);
    if (!services) return;
    const { configTemplate } = await import("./template.ts");
    const contents = new TextEncoder().encode(configTemplate(services));
    const edit = new vscode.WorkspaceEdit();
    edit.createFile(uri, { ignoreIfExists: true, contents });
    await vscode.workspace.applyEdit(edit);
  }
  await vscode.window.showTextDocument(uri);
}

async function chooseFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length > 1)
    return await vscode.window.showWorkspaceFolderPick({ placeHolder: t("Which folder?") });
  if (folders.length === 0) {
    const open = t("Open Folder…");
    const choice = await vscode.window.showInformationMessage(
      t("Open a folder first: linkup.yaml lives in a folder."),
      open,
    );
    if (choice === open) await vscode.commands.executeCommand("workbench.action.files.openFolder");
  }
  return folders[0];
}

/** Those found that the user wants; none where nothing is found. Undefined when the user thinks better of it. */
async function chooseServices({ uri }: vscode.WorkspaceFolder): Promise<FoundService[] | undefined> {
  // What is not on this machine's disk is not looked through.
  if (uri.scheme !== "file") return [];
  const { findServices } = await import("../../manager/discovery/find-services.ts");
  const found = await findServices(uri.fsPath);
  if (found.length === 0) return [];
  const items = found.map((service) => ({
    label: service.name,
    description: hostOf(service.local),
    detail: service.foundIn,
    picked: true,
    service,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: t("Create linkup.yaml"),
    placeHolder: t("Found in this workspace. Select the services to add."),
    canPickMany: true,
    ignoreFocusOut: true,
  });
  return picked?.map(({ service }) => service);
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  return await Promise.resolve(vscode.workspace.fs.stat(uri)).then(
    () => true,
    () => false,
  );
}
