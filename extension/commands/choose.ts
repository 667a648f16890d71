/** Which session, file or URL a command is about: what was clicked, the only one there is, or the user's choice. */
import * as vscode from "vscode";
import type { Selector } from "../../manager/manager.ts";
import { LinkupError } from "../../manager/model/problem.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";
import { namedFile } from "../config-files.ts";
import type { Linkup } from "../linkup.ts";
import type { Row } from "../views/rows.ts";
import { type ConfigFile, hostOf, ownSessions } from "../window-model.ts";
import { t } from "../words.ts";

/** Undefined when the user chose none. Rejects with a LinkupError when there is no file. */
export async function chooseConfig(linkup: Linkup, row: Row | undefined): Promise<ConfigFile | undefined> {
  await linkup.configs.ready();
  const { configs } = linkup.model;
  const subject = row?.subject;
  if (subject?.is === "config") return subject.config;
  const path = subject?.is === "session" ? subject.session.configPath : undefined;
  const known = configs.find((config) => config.path === path);
  if (known) return known;
  if (configs.length === 0)
    throw new LinkupError("config-missing", missingFile(), [
      { command: "createConfig", title: t("Create linkup.yaml") },
    ]);
  if (configs.length === 1) return configs[0];
  const items = configs.map((config) => ({ label: config.folder, description: config.path, config }));
  return (await vscode.window.showQuickPick(items, { title: "Linkup", placeHolder: t("Which folder?") }))
    ?.config;
}

function missingFile(): string {
  const [named] = (vscode.workspace.workspaceFolders ?? []).flatMap((folder) => namedFile(folder) ?? []);
  return named
    ? t("The setting linkup.configPath names {0}, which does not exist.", named.fsPath)
    : t("No folder in this workspace has a linkup.yaml, the file that lists your system's services.");
}

/** Undefined when the user chose none. Rejects with a LinkupError when no session runs. */
export async function chooseSession(linkup: Linkup, row: Row | undefined): Promise<SessionView | undefined> {
  await linkup.configs.ready();
  const subject = row?.subject;
  if (subject?.is === "session" || subject?.is === "service") return subject.session;
  const sessions = ownSessions(linkup.model);
  if (sessions.length === 0)
    throw new LinkupError("session-unknown", t("No session of this workspace is running."), [
      { command: "start", title: t("Start") },
    ]);
  if (sessions.length === 1) return sessions[0];
  const items = sessions.map((session) => ({
    label: session.name ?? t("starting…"),
    description: session.configPath ?? "",
    session,
  }));
  return (await vscode.window.showQuickPick(items, { title: "Linkup", placeHolder: t("Which session?") }))
    ?.session;
}

/** The manager's selector of a session. */
export function selectorOf({ configPath, name }: SessionView): Selector {
  return name === undefined ? { configPath: configPath ?? "" } : { name };
}

/** The clicked URL, or one of the session's. */
export async function chooseUrl(linkup: Linkup, row: Row | undefined): Promise<string | undefined> {
  if (row?.subject.is === "url") return row.subject.url;
  const session = await chooseSession(linkup, row);
  if (!session) return undefined;
  if (session.urls.length < 2) return session.urls[0];
  const items = session.urls.map((url) => ({ label: hostOf(url), url }));
  return (
    await vscode.window.showQuickPick(items, { title: session.name ?? "", placeHolder: t("Which domain?") })
  )?.url;
}
