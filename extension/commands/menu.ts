/** The menu behind the status bar item. */
import * as vscode from "vscode";
import { type Command, commandId } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import { workspaceState } from "../model.ts";
import { t } from "../words.ts";

interface Entry {
  command: Command;
  label: string;
}

export async function showMenu(linkup: Linkup): Promise<void> {
  await linkup.configs.ready();
  const picked = await vscode.window.showQuickPick(menuEntries(linkup), { title: "Linkup" });
  if (picked) await vscode.commands.executeCommand(commandId(picked.command));
}

function menuEntries(linkup: Linkup): Entry[] {
  const always: Entry[] = [
    { command: "openConfig", label: t("$(go-to-file) Open linkup.yaml") },
    { command: "showStatus", label: t("$(info) Show Status") },
    { command: "showLogs", label: t("$(output) Show Logs") },
  ];
  switch (workspaceState(linkup.model)) {
    case "none":
      return [{ command: "createConfig", label: t("$(new-file) Create linkup.yaml") }];
    case "invalid":
      return always;
    case "stopped":
      return [
        { command: "start", label: t("$(play) Start") },
        { command: "startIsolated", label: t("$(play) Start Isolated") },
        ...always,
      ];
    case "starting":
      return [{ command: "cancelStart", label: t("$(stop) Cancel") }, ...always];
    case "stopping":
      return always;
    case "failed":
      return [
        { command: "restart", label: t("$(refresh) Restart") },
        { command: "stop", label: t("$(stop) Stop") },
        ...always,
      ];
    case "running":
      return [
        { command: "openSession", label: t("$(globe) Open Session in Browser") },
        { command: "copyUrl", label: t("$(copy) Copy Session URL") },
        { command: "routeService", label: t("$(arrow-swap) Route Service…") },
        { command: "routeAllLocal", label: t("$(home) Route All to Local") },
        { command: "routeAllRemote", label: t("$(cloud) Route All to Remote") },
        { command: "explainRequest", label: t("$(question) Explain Request…") },
        { command: "restart", label: t("$(refresh) Restart") },
        { command: "stop", label: t("$(stop) Stop") },
        ...always,
      ];
  }
}
