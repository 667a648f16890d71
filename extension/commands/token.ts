/** Set Worker Token: into secret storage. */
import * as vscode from "vscode";
import { parseConfig } from "../../core/config/config.ts";
import type { Linkup } from "../linkup.ts";
import { hostOf, ownSessions } from "../model.ts";
import { storeToken } from "../token.ts";
import type { Row } from "../views/rows.ts";
import { t } from "../words.ts";
import { chooseConfig } from "./choose.ts";

export async function setWorkerToken(
  linkup: Linkup,
  secrets: vscode.SecretStorage,
  row?: Row,
): Promise<void> {
  const file = await chooseConfig(linkup, row);
  if (!file) return;
  const bytes = await vscode.workspace.fs.readFile(vscode.Uri.file(file.path));
  const { config } = parseConfig(new TextDecoder().decode(bytes));
  const workerUrl = config?.linkup.worker_url;
  if (!workerUrl) return void (await vscode.window.showTextDocument(vscode.Uri.file(file.path)));
  const token = await vscode.window.showInputBox({
    title: t("Set Worker Token"),
    prompt: t(
      "The token of the Worker at {0}. It is kept in VS Code's secret storage; leave it empty to remove it.",
      hostOf(workerUrl),
    ),
    password: true,
    ignoreFocusOut: true,
  });
  if (token === undefined) return;
  await storeToken(secrets, workerUrl, token.trim());
  if (!token.trim()) return void vscode.window.setStatusBarMessage(t("Worker token removed"), 3000);
  const session = ownSessions(linkup.model).find(({ configPath }) => configPath === file.path);
  // A session that the Worker refused goes on with the new token.
  if (session?.state === "failed") return void (await linkup.start(file.path));
  if (session) return void vscode.window.setStatusBarMessage(t("Worker token stored"), 3000);
  const start = t("Start");
  const choice = await vscode.window.showInformationMessage(
    t("The token of the Worker at {0} is stored.", hostOf(workerUrl)),
    start,
  );
  if (choice === start) await linkup.start(file.path);
}
