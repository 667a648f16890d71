/** Start, Stop and Restart. */
import * as vscode from "vscode";
import type { SessionAccess } from "../../core/session/session-document.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";
import { componentName, kindWord } from "../labels.ts";
import type { Linkup } from "../linkup.ts";
import type { Row } from "../views/rows.ts";
import { waitUntilDone } from "../waiting.ts";
import { replacedBy } from "../window-model.ts";
import { t } from "../words.ts";
import { chooseConfig, chooseSession, selectorOf } from "./choose.ts";

type Kind = "tunneled" | "isolated";

/** `access`: undefined as the user chose before, or as the file says. */
export async function start(linkup: Linkup, kind: Kind, row?: Row, access?: SessionAccess): Promise<void> {
  const config = await chooseConfig(linkup, row);
  if (!config || !(await requireTrust())) return;
  const replaced = replacedBy(linkup.model, config.path, kind);
  if (!replaced || (await mayReplace(replaced))) await linkup.start(config.path, kind, { access });
}

/** Asks before a session ends that others may be using. */
async function mayReplace({ name, kind }: SessionView): Promise<boolean> {
  const replace = t("Replace");
  const question = t("Replace the running session {0}?", name ?? kindWord(kind));
  const detail =
    kind === "tunneled"
      ? t(
          "Its public URL stops working for everyone. To keep it, create an isolated session beside it: Linkup: Create Isolated Session…",
        )
      : t("The isolated session ends, and this one gets a public URL.");
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, replace)) === replace;
}

/** Also cancels a start in progress. */
export async function stop(linkup: Linkup, row?: Row): Promise<void> {
  if (!row && linkup.model.starting.size > 0) return await cancelStart(linkup);
  const session = await chooseSession(linkup, row);
  if (session && (await confirmStop(linkup, session, t("Stop")))) await linkup.stop(selectorOf(session));
}

/** Asks before a session ends that others on this machine use, and says who: other windows, terminals, another workspace. */
export async function confirmStop(linkup: Linkup, session: SessionView, yes: string): Promise<boolean> {
  const { name, kind, configPath } = session;
  const users = await othersOf(linkup, session);
  if (users.length === 0) return true;
  const question = t("Others are using the session {0}. Stop it for them too?", name ?? kindWord(kind));
  const detail = [...users, ...(configPath ? [configPath] : [])].join("\n");
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) === yes;
}

/** A sentence for each kind of user besides this window. */
export async function othersOf(
  { manager, model }: Linkup,
  { configPath, secondary }: SessionView,
): Promise<string[]> {
  const { windows, terminals } = await (await manager).otherUsers(configPath);
  const isElsewhere = !secondary && !model.configs.some(({ path }) => path === configPath);
  return [
    ...(windows === 1 ? [t("One other window is using it.")] : []),
    ...(windows > 1 ? [t("{0} other windows are using it.", windows)] : []),
    ...(terminals === 1 ? [t("A terminal or an agent is using it.")] : []),
    ...(terminals > 1 ? [t("{0} terminals or agents are using it.", terminals)] : []),
    ...(isElsewhere ? [t("It belongs to another workspace.")] : []),
  ];
}

/** Restarts a session, or on a component's row that component. */
export async function restart(linkup: Linkup, row?: Row): Promise<void> {
  if (row?.subject.is === "component") {
    const { id } = row.subject.component;
    const work = async () => (await linkup.manager).restart(id);
    return void (await waitUntilDone(t("Restarting {0}", componentName(id)), work));
  }
  const session = await chooseSession(linkup, row);
  const { configPath } = session ?? {};
  if (!session || !configPath || !(await requireTrust())) return;
  if (!(await confirmStop(linkup, session, t("Restart")))) return;
  await linkup.stop(selectorOf(session));
  await linkup.start(configPath, session.kind === "isolated" ? "isolated" : "tunneled");
}

/** Cancels the start of this window; on a row also that of another window or terminal. */
export async function cancelStart(linkup: Linkup, row?: Row): Promise<void> {
  const { starting } = linkup.model;
  const subject = row?.subject;
  const path =
    subject?.is === "config"
      ? subject.config.path
      : subject?.is === "session"
        ? subject.session.configPath
        : undefined;
  for (const each of path ? [path] : starting) {
    if (starting.has(each)) linkup.cancel(each);
    else await linkup.stop({ configPath: each });
  }
}

/** False in an untrusted workspace, after telling the user and offering to manage trust. */
export async function requireTrust(): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  const manage = t("Manage Workspace Trust");
  const choice = await vscode.window.showWarningMessage(
    t("This workspace is in Restricted Mode, where Linkup starts nothing."),
    manage,
  );
  if (choice === manage) await vscode.commands.executeCommand("workbench.trust.manage");
  return false;
}
