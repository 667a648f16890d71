/** The context keys that menus, the palette and welcome views ask about. */

import { access } from "node:fs/promises";
import { basename, dirname } from "node:path";
import * as vscode from "vscode";
import { journalFile } from "../manager/components/local-dns/journal.ts";
import { isLocalNow, placeOf } from "../manager/model/snapshot.ts";
import { stateHome } from "../node/home.ts";
import { CONTEXT_KEYS } from "./ids.ts";
import type { Linkup } from "./linkup.ts";
import { ownSessions, sessionOf, type WindowModel, workspaceState } from "./window-model.ts";

type Key = keyof typeof CONTEXT_KEYS;

/** Keeps the keys as the model is. */
export function registerContextKeys(context: vscode.ExtensionContext, linkup: Linkup): void {
  const known = new Map<string, unknown>();
  const set = (values: Partial<Record<Key, unknown>>) => {
    for (const [key, value] of Object.entries(values)) {
      if (known.has(key) && known.get(key) === value) continue;
      known.set(key, value);
      void vscode.commands.executeCommand("setContext", CONTEXT_KEYS[key as Key], value);
    }
  };
  const update = () => set(contextValues(linkup.model));
  // What a terminal changed, in this window or outside.
  const look = async () => set({ systemChanged: await isSystemChanged() });
  const journal = journalFile(stateHome(process.env));
  const watcher = vscode.workspace.createFileSystemWatcher(
    new vscode.RelativePattern(vscode.Uri.file(dirname(journal)), basename(journal)),
  );
  context.subscriptions.push(
    linkup.onDidChange(update),
    watcher,
    watcher.onDidCreate(look),
    watcher.onDidDelete(look),
    // Where a folder that is not there yet cannot be watched.
    vscode.window.onDidChangeWindowState(() => void look()),
  );
  void linkup.configs.ready().then(update);
  void look();
}

/** All keys but `systemChanged`, which the model does not know. */
export function contextValues(model: WindowModel): Record<Exclude<Key, "systemChanged">, unknown> {
  const own = ownSessions(model);
  const services = own.flatMap(({ services }) => services);
  const { sessions, components } = model.snapshot;
  return {
    state: workspaceState(model),
    hasConfig: model.configs.length > 0,
    hasSession: own.length > 0,
    isRunning: own.some(({ state, urls }) => state === "running" && urls.length > 0),
    hasLocal: services.some(isLocalNow),
    hasRemote: services.some((service) => placeOf(service) !== "local"),
    hasPrivate: own.some(({ access }) => access === "private"),
    hasPublic: own.some(({ access }) => access !== undefined && access !== "private"),
    hasJoined: (model.joined?.length ?? 0) > 0,
    canStart: model.configs.some(({ path, errors }) => {
      const state = sessionOf(model, path)?.state ?? "failed";
      return errors === 0 && state === "failed" && !model.starting.has(path);
    }),
    anySession: sessions.length > 0,
    workerOutdated: components.some(({ id, outdated }) => id === "worker" && outdated),
  };
}

async function isSystemChanged(): Promise<boolean> {
  return await access(journalFile(stateHome(process.env))).then(
    () => true,
    () => false,
  );
}
