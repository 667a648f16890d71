/** The menu behind the status bar item. */
import * as vscode from "vscode";
import { type Command, commandId } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import { workspaceState } from "../window-model.ts";
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
    { command: "openConfig", label: `$(go-to-file) ${t("Open linkup.yaml")}` },
    { command: "showStatus", label: `$(info) ${t("Show Status")}` },
    { command: "showLogs", label: `$(output) ${t("Show Logs")}` },
  ];
  switch (workspaceState(linkup.model)) {
    case "none":
      return [{ command: "createConfig", label: `$(new-file) ${t("Create linkup.yaml")}` }];
    case "invalid":
      return always;
    case "stopped":
      return [
        { command: "start", label: `$(play) ${t("Start")}` },
        { command: "startIsolated", label: `$(play) ${t("Start Isolated")}` },
        ...always,
      ];
    case "starting":
      return [{ command: "cancelStart", label: `$(stop) ${t("Cancel")}` }, ...always];
    case "stopping":
      return always;
    case "failed":
      return [
        { command: "restart", label: `$(refresh) ${t("Restart")}` },
        { command: "stop", label: `$(stop) ${t("Stop")}` },
        ...always,
      ];
    case "running":
      return [
        { command: "openSession", label: `$(globe) ${t("Open Session in Browser")}` },
        { command: "copyUrl", label: `$(copy) ${t("Copy Session URL")}` },
        { command: "routeService", label: `$(arrow-swap) ${t("Route Service…")}` },
        { command: "routeAllLocal", label: `$(home) ${t("Route All to Local")}` },
        { command: "routeAllRemote", label: `$(cloud) ${t("Route All to Remote")}` },
        { command: "explainRequest", label: `$(question) ${t("Explain Request…")}` },
        { command: "restart", label: `$(refresh) ${t("Restart")}` },
        { command: "stop", label: `$(stop) ${t("Stop")}` },
        ...always,
      ];
  }
}
