/** Doctor, and what helps when it finds something. */
import * as vscode from "vscode";
import { installCommand } from "../../manager/components/tunnel/releases.ts";
import type { HealthReport } from "../../manager/doctor/report.ts";
import { commandId, isCommand } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import { healthText } from "../views/health-text.ts";
import { t } from "../words.ts";
import type { Documents } from "./preview-documents.ts";

export async function doctor(linkup: Linkup, documents: Documents): Promise<void> {
  await linkup.configs.ready();
  // In an untrusted workspace nothing outside is asked for its file's sake.
  const offline = !vscode.workspace.isTrusted;
  const examine = async () => (await linkup.manager).health(linkup.configs.files[0]?.path, { offline });
  const title = t("Linkup Doctor checks this machine");
  const report = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title },
    examine,
  );
  await documents.show(t("Linkup Doctor"), healthText(report));
  offerFixes(report);
}

/** A page of text has no buttons: what can be done from here is offered beside it. */
function offerFixes({ checks }: HealthReport): void {
  const fixes = checks.flatMap(({ state, found, fixes }) =>
    fixes.flatMap(({ command, title }) =>
      state !== "ok" && isCommand(command)
        ? [{ label: t(title), detail: found, id: commandId(command) }]
        : [],
    ),
  );
  if (fixes.length === 0) return;
  const solve = t("Fix…");
  // Not awaited: the notification may stay open for long.
  void vscode.window
    .showInformationMessage(t("Doctor found problems that can be fixed from here."), solve)
    .then(async (choice) => {
      if (choice !== solve) return;
      const picked = await vscode.window.showQuickPick(fixes, { title: t("Linkup Doctor") });
      if (picked) await vscode.commands.executeCommand(picked.id);
    });
}

export async function endOrphans(linkup: Linkup): Promise<void> {
  const ended = await (await linkup.manager).endOrphans();
  await vscode.window.showInformationMessage(
    ended.length === 0 ? t("No orphaned processes.") : t("Ended: {0}", ended.join(", ")),
  );
}

const DOWNLOADS = "https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/";

/** The command stands in a terminal for the user to read and run; where there is no single one, the page of downloads. */
export async function installCloudflared(): Promise<void> {
  const command = installCommand(process.platform, process.arch);
  if (!command) return void (await vscode.env.openExternal(vscode.Uri.parse(DOWNLOADS)));
  const terminal = vscode.window.createTerminal("cloudflared");
  terminal.show();
  terminal.sendText(command, false);
}
