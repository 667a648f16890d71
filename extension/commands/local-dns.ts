/** Local DNS, put in and taken out by the `linkup` command in a terminal: it shows every command and asks first. */
import { join } from "node:path";
import * as vscode from "vscode";
import type { Linkup } from "../linkup.ts";
import type { Row } from "../views/rows.ts";
import { t } from "../words.ts";
import { chooseConfig } from "./choose.ts";
import { trusted } from "./life.ts";

export async function installLocalDns(linkup: Linkup, extensionPath: string, row?: Row): Promise<void> {
  const config = await chooseConfig(linkup, row);
  if (!config || !(await trusted())) return;
  // What is installed here would be asked by browsers here alone.
  if (vscode.env.remoteName !== undefined || vscode.env.uiKind === vscode.UIKind.Web) {
    await vscode.window.showWarningMessage(
      t(
        "This workspace is on another machine than your browser, which would not ask a local DNS here. Use the session's URL through the Worker, or domains below localhost.",
      ),
    );
    return;
  }
  runInTerminal(extensionPath, `local-dns install --config "${config.path}"`);
}

export async function uninstallLocalDns(extensionPath: string): Promise<void> {
  if (await trusted()) runInTerminal(extensionPath, "local-dns uninstall");
}

function runInTerminal(extensionPath: string, command: string): void {
  const env = { ELECTRON_RUN_AS_NODE: "1" };
  const terminal = vscode.window.createTerminal({ name: "Linkup", env });
  terminal.show();
  const cli = join(extensionPath, "dist", "cli.js");
  // PowerShell calls a quoted program by an ampersand.
  const call = process.platform === "win32" ? "& " : "";
  terminal.sendText(`${call}"${process.execPath}" "${cli}" ${command}`);
}
