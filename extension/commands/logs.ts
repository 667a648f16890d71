/** Show Logs: of this window, and of each component. */
import * as vscode from "vscode";
import { stateHome } from "../../node/home.ts";
import { LOGGED_COMPONENTS, logFolder, logNameOf } from "../../node/log-files.ts";
import { componentName } from "../labels.ts";
import type { Linkup } from "../linkup.ts";
import type { Row } from "../views/rows.ts";
import { t } from "../words.ts";

export async function showLogs(linkup: Linkup, row?: Row): Promise<void> {
  const folder = vscode.Uri.file(logFolder(stateHome(process.env)));
  const names = await logFiles(folder);
  const id = row?.subject.is === "component" ? row.subject.component.id : undefined;
  const wanted = LOGGED_COMPONENTS.find((component) => component === id);
  const files = wanted ? names.filter((name) => logNameOf(name)?.component === wanted) : names;
  // Before the first session there are no log files.
  if (files.length === 0) return linkup.log.show();
  if (wanted && files.length === 1) return await showEnd(vscode.Uri.joinPath(folder, files[0]!));
  const own = { label: t("This window"), description: t("what Linkup does here"), file: undefined };
  const items = files.map((file) => ({ label: labelOf(file), description: file, file }));
  const picked = await vscode.window.showQuickPick([own, ...items], { title: t("Show Logs") });
  if (!picked) return;
  if (picked.file) await showEnd(vscode.Uri.joinPath(folder, picked.file));
  else linkup.log.show();
}

async function logFiles(folder: vscode.Uri): Promise<string[]> {
  try {
    const entries = await vscode.workspace.fs.readDirectory(folder);
    return entries.map(([name]) => name).filter((name) => name.endsWith(".log"));
  } catch (error) {
    if (error instanceof vscode.FileSystemError && error.code === "FileNotFound") return [];
    throw error;
  }
}

function labelOf(file: string): string {
  const component = logNameOf(file)?.component;
  return component && component !== "keeper" ? componentName(component) : file.replace(/\.log$/, "");
}

/** Opens the file at its end, where the newest lines are. */
async function showEnd(file: vscode.Uri): Promise<void> {
  const document = await vscode.workspace.openTextDocument(file);
  const end = document.lineAt(document.lineCount - 1).range;
  await vscode.window.showTextDocument(document, { selection: end, preview: true });
}
