/** Local DNS, put in and taken out by the `linkup` command in a terminal: it shows every command and asks first. */
import * as vscode from "vscode";
import { isLoopback } from "../../core/session/host-name.ts";
import { stateHome } from "../../node/home.ts";
import type { Linkup } from "../linkup.ts";
import { changesText } from "../views/changes-text.ts";
import type { Row } from "../views/rows.ts";
import { waitForAnswer } from "../waiting.ts";
import { t } from "../words.ts";
import { chooseConfig } from "./choose.ts";
import type { Documents } from "./markdown-pages.ts";
import { runLinkup } from "./run-linkup.ts";
import { requireTrust } from "./start-stop.ts";

export async function installLocalDns(linkup: Linkup, extensionPath: string, row?: Row): Promise<void> {
  const config = await chooseConfig(linkup, row);
  if (!config || !(await requireTrust())) return;
  const asked = await asksThisMachine();
  if (asked === false) {
    await vscode.window.showWarningMessage(
      t(
        "This workspace runs on another machine than your browser, so local DNS here has no effect. Use the session's URL through the Worker, or domains below localhost.",
      ),
    );
    return;
  }
  if (asked === undefined && !(await isSameMachine())) return;
  await runLinkup(extensionPath, t("Install Local DNS"), ["local-dns", "install", "--config", config.path]);
}

/** Whether the user's browser asks the DNS of this machine; undefined where that cannot be known. */
async function asksThisMachine(): Promise<boolean | undefined> {
  const { remoteName, uiKind, uriScheme } = vscode.env;
  if (uiKind === vscode.UIKind.Desktop) return remoteName === undefined;
  const own = vscode.Uri.from({ scheme: uriScheme, authority: "linkup-dev.linkup", path: "/" });
  const { authority } = await vscode.env.asExternalUri(own);
  // A loopback address may be that of a port that is forwarded here.
  return isLoopback(authority) ? undefined : false;
}

async function isSameMachine(): Promise<boolean> {
  const yes = t("On This Machine");
  const detail = t(
    "VS Code runs in a browser. Local DNS works only for browsers on the machine of this workspace.",
  );
  const question = t("Where is your browser?");
  return (await vscode.window.showInformationMessage(question, { modal: true, detail }, yes)) === yes;
}

export async function uninstallLocalDns(extensionPath: string): Promise<void> {
  if (await requireTrust())
    await runLinkup(extensionPath, t("Uninstall Local DNS"), ["local-dns", "uninstall"]);
}

/** A page with every change and the commands that undo it; then a button that runs them. */
export async function undoSystemChanges(documents: Documents, extensionPath: string): Promise<void> {
  const { systemChanges } = await import("../../manager/components/local-dns/changes.ts");
  const changes = await waitForAnswer(t("Looking for changes to this system"), () =>
    systemChanges(stateHome(process.env)),
  );
  if (!changes) return;
  if (changes.length === 0)
    return void vscode.window.showInformationMessage(t("Linkup made no changes to this system."));
  await documents.show({
    title: t("Linkup System Changes"),
    markdown: changesText(changes),
    refresh: "undoSystemChanges",
  });
  const undo = t("Undo in Terminal");
  // Not awaited: the notification may stay open for long.
  void vscode.window
    .showWarningMessage(t("Undo these system changes? This uninstalls local DNS."), undo)
    .then(async (choice) => {
      if (choice === undo) await uninstallLocalDns(extensionPath);
    });
}
