/** Set Worker Token: into secret storage. */
import * as vscode from "vscode";
import type { Linkup } from "../linkup.ts";
import { readConfigFile } from "../read-config-file.ts";
import type { Row } from "../views/rows.ts";
import { hostOf, sessionOf } from "../window-model.ts";
import { t } from "../words.ts";
import { storeToken } from "../worker-token-storage.ts";
import { chooseConfig } from "./choose.ts";

export async function setWorkerToken(
  linkup: Linkup,
  secrets: vscode.SecretStorage,
  row?: Row,
): Promise<void> {
  const file = await chooseConfig(linkup, row);
  if (!file) return;
  const { linkup: worker } = await readConfigFile(file.path);
  const workerUrl = worker.worker_url;
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
  // Entering a token for this Worker confirms the Worker.
  if (token.trim()) await (await linkup.manager).confirmWorker(workerUrl);
  if (!token.trim()) return void vscode.window.setStatusBarMessage(t("Worker token removed"), 3000);
  const session = sessionOf(linkup.model, file.path);
  // Retry with the new token.
  if (session?.state === "failed") return void (await linkup.start(file.path));
  if (session) return void vscode.window.setStatusBarMessage(t("Worker token stored"), 3000);
  const start = t("Start");
  const choice = await vscode.window.showInformationMessage(
    t("The token of the Worker at {0} is stored.", hostOf(workerUrl)),
    start,
  );
  if (choice === start) await linkup.start(file.path);
}
