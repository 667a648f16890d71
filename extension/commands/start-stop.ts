/** Start, Stop and Restart. */
import * as vscode from "vscode";
import type { SessionView } from "../../manager/model/snapshot.ts";
import { kindWord } from "../labels.ts";
import type { Linkup } from "../linkup.ts";
import type { Row } from "../views/rows.ts";
import { replacedBy } from "../window-model.ts";
import { t } from "../words.ts";
import { chooseConfig, chooseSession, selectorOf } from "./choose.ts";

type Kind = "tunneled" | "isolated";

export async function start(linkup: Linkup, kind: Kind, row?: Row): Promise<void> {
  const config = await chooseConfig(linkup, row);
  if (!config || !(await requireTrust())) return;
  const replaced = replacedBy(linkup.model, config.path, kind);
  if (!replaced || (await mayReplace(replaced))) await linkup.start(config.path, kind);
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
  if (session) await (await linkup.manager).stop(selectorOf(session));
}

/** Restarts a session, or on a component's row that component. */
export async function restart(linkup: Linkup, row?: Row): Promise<void> {
  if (row?.subject.is === "component") return await (await linkup.manager).restart(row.subject.component.id);
  const session = await chooseSession(linkup, row);
  const { configPath } = session ?? {};
  if (!session || !configPath || !(await requireTrust())) return;
  await (await linkup.manager).stop(selectorOf(session));
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
    else await (await linkup.manager).stop({ configPath: each });
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
