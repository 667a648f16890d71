/** Doctor, and what its buttons do. */
import * as vscode from "vscode";
import { CHECKED_INSTALL, installCommand } from "../../manager/components/tunnel/releases.ts";
import { reportedHealth } from "../../manager/doctor/report.ts";
import type { Linkup } from "../linkup.ts";
import { healthText } from "../views/health-text.ts";
import { waitForAnswer, waitUntilDone } from "../waiting.ts";
import { t } from "../words.ts";
import type { Documents } from "./markdown-pages.ts";
import { runLinkup } from "./run-linkup.ts";

export async function doctor(linkup: Linkup, documents: Documents): Promise<void> {
  await linkup.configs.ready();
  // In an untrusted workspace nothing outside is asked for its file's sake.
  const offline = !vscode.workspace.isTrusted;
  const report = await waitForAnswer(t("Linkup Doctor checks this machine"), async () =>
    (await linkup.manager).health(linkup.configs.files[0]?.path, { offline }),
  );
  if (!report) return;
  await documents.show({
    title: t("Linkup Doctor"),
    markdown: healthText(report),
    refresh: "doctor",
    json: JSON.stringify(reportedHealth(report), null, 2),
  });
}

export async function endOrphans(linkup: Linkup): Promise<void> {
  const work = async () => (await linkup.manager).endOrphans();
  const ended = await waitUntilDone(t("Ending orphaned processes"), work);
  await vscode.window.showInformationMessage(
    ended.length === 0 ? t("No orphaned processes.") : t("Ended: {0}", ended.join(", ")),
  );
}

const DOWNLOADS = "https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/";

/**
 * Where this build pins a release, our own install, which shows what it downloads, asks, and checks it. Else the package manager's
 * command stands in a terminal for the user to read and run; without one, the page of downloads.
 */
export async function installCloudflared(
  extensionPath: string,
  command = installCommand(process.platform, process.arch),
): Promise<void> {
  if (command === CHECKED_INSTALL)
    return await runLinkup(extensionPath, t("Install cloudflared"), ["cloudflared", "install"]);
  if (!command) return void (await vscode.env.openExternal(vscode.Uri.parse(DOWNLOADS)));
  const terminal = vscode.window.createTerminal("cloudflared");
  terminal.show();
  terminal.sendText(command, false);
}
