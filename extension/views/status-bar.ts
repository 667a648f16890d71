/** Shows `status-item.ts` in the status bar. */
import * as vscode from "vscode";
import { commandId, STATUS_ITEM } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import { statusItem } from "./status-item.ts";

export function registerStatusBar(context: vscode.ExtensionContext, linkup: Linkup): void {
  const item = vscode.window.createStatusBarItem(STATUS_ITEM, vscode.StatusBarAlignment.Left, 10);
  item.name = "Linkup";
  item.command = commandId("showMenu");
  const update = () => {
    const shown = statusItem(linkup.model);
    if (!shown) return item.hide();
    item.text = shown.text;
    item.tooltip = new vscode.MarkdownString(shown.tooltip);
    item.backgroundColor = shown.alarming
      ? new vscode.ThemeColor("statusBarItem.errorBackground")
      : undefined;
    item.show();
  };
  context.subscriptions.push(item, linkup.onDidChange(update));
}
