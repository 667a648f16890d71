/** Create linkup.yaml: a working template, with the services that the workspace seems to have. */
import * as vscode from "vscode";
import type { FoundService } from "../../manager/discovery/find-services.ts";
import type { Linkup } from "../linkup.ts";
import { askInSteps, askMany, askOne, BACK } from "../steps.ts";
import { waitForAnswer } from "../waiting.ts";
import { hostOf } from "../window-model.ts";
import { t } from "../words.ts";

/** Opens the one that is there already. */
export async function createConfig(linkup: Linkup): Promise<void> {
  await linkup.configs.ready();
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 0) return await offerToOpenFolder();
  const title = t("Create linkup.yaml");
  let folder = folders[0]!;
  let services: readonly FoundService[] = [];
  const several = folders.length > 1 ? 1 : 0;
  const askFolder = async () => {
    const items = folders.map((each) => ({ label: each.name, description: each.uri.fsPath, folder: each }));
    const answer = await askOne({ title, step: 1, totalSteps: 2, placeholder: t("Which folder?"), items });
    if (answer === undefined || answer === BACK) return answer;
    folder = answer.folder;
    return true;
  };
  const askServices = async () => {
    const found = (await exists(fileIn(folder))) ? [] : await servicesIn(folder);
    if (found.length === 0) return true;
    const items = found.map((service) => ({
      label: service.name,
      description: hostOf(service.local),
      detail: service.foundIn,
      service,
    }));
    const placeholder = t("Found in this workspace. Select the services to add.");
    const place = { title, step: 1 + several, totalSteps: 1 + several };
    const answer = await askMany({ ...place, placeholder, items, picked: items });
    if (answer === undefined || answer === BACK) return answer;
    services = answer.map(({ service }) => service);
    return true;
  };
  const steps = several ? [askFolder, askServices] : [askServices];
  if (!(await askInSteps((index) => steps[index]))) return;
  const uri = fileIn(folder);
  if (!(await exists(uri))) {
    const { configTemplate } = await import("./template.ts");
    const contents = new TextEncoder().encode(configTemplate([...services]));
    const edit = new vscode.WorkspaceEdit();
    edit.createFile(uri, { ignoreIfExists: true, contents });
    await vscode.workspace.applyEdit(edit);
  }
  await vscode.window.showTextDocument(uri);
}

async function offerToOpenFolder(): Promise<void> {
  const open = t("Open Folder…");
  const question = t("Open a folder first: linkup.yaml lives in a folder.");
  if ((await vscode.window.showInformationMessage(question, open)) === open)
    await vscode.commands.executeCommand("workbench.action.files.openFolder");
}

function fileIn({ uri }: vscode.WorkspaceFolder): vscode.Uri {
  return vscode.Uri.joinPath(uri, "linkup.yaml");
}

/** What is not on this machine's disk is not looked through. */
async function servicesIn({ uri }: vscode.WorkspaceFolder): Promise<FoundService[]> {
  if (uri.scheme !== "file") return [];
  const { findServices } = await import("../../manager/discovery/find-services.ts");
  return (await waitForAnswer(t("Looking for services"), () => findServices(uri.fsPath))) ?? [];
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  return await Promise.resolve(vscode.workspace.fs.stat(uri)).then(
    () => true,
    () => false,
  );
}
