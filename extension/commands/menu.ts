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

/** As far as it is read here. */
export interface Manifest {
  contributes: { commands: readonly { command: string; icon?: string }[] };
}

/** @param manifest the extension's package.json, which has each command's icon */
export async function showMenu(linkup: Linkup, { contributes }: Manifest): Promise<void> {
  await linkup.configs.ready();
  const icons = new Map(contributes.commands.map(({ command, icon }) => [command, icon]));
  const entries = menuEntries(linkup).map(({ command, label }) => ({
    command,
    label: [icons.get(commandId(command)), label].filter(Boolean).join(" "),
  }));
  const picked = await vscode.window.showQuickPick(entries, { title: "Linkup" });
  if (picked) await vscode.commands.executeCommand(commandId(picked.command));
}

function menuEntries(linkup: Linkup): Entry[] {
  const always: Entry[] = [
    { command: "openConfig", label: t("Open linkup.yaml") },
    { command: "showStatus", label: t("Show Status") },
    { command: "showLogs", label: t("Show Logs") },
  ];
  switch (workspaceState(linkup.model)) {
    case "none":
      return [{ command: "createConfig", label: t("Create linkup.yaml") }];
    case "invalid":
      return always;
    case "stopped":
      return [
        { command: "start", label: t("Start") },
        { command: "startPrivate", label: t("Start Private") },
        { command: "startIsolated", label: t("Start Isolated") },
        ...always,
      ];
    case "starting":
      return [{ command: "cancelStart", label: t("Cancel") }, ...always];
    case "stopping":
      return always;
    case "failed":
      return [{ command: "restart", label: t("Restart") }, { command: "stop", label: t("Stop") }, ...always];
    case "running":
      return [
        { command: "openSession", label: t("Open Session in Browser") },
        { command: "copyUrl", label: t("Copy Session URL") },
        { command: "shareSession", label: t("Share Session…") },
        { command: "routeService", label: t("Route Service…") },
        { command: "routeAllLocal", label: t("Route All to Local") },
        { command: "routeAllRemote", label: t("Route All to Remote") },
        { command: "explainRequest", label: t("Explain Request…") },
        { command: "restart", label: t("Restart") },
        { command: "stop", label: t("Stop") },
        ...always,
      ];
  }
}
