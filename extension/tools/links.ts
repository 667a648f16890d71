/**
 * Links into VS Code: `vscode://linkup-dev.linkup/start`, `/stop`, `/route?service=api&target=local`,
 * `/join?session=slim-gecko`.
 * Anyone can write such a link, so the user is asked before anything is done.
 */
import * as vscode from "vscode";
import { chooseSession } from "../commands/choose.ts";
import { route } from "../commands/route.ts";
import { start, stop } from "../commands/start-stop.ts";
import type { Linkup } from "../linkup.ts";
import { t } from "../words.ts";

/** Asks the user, and does what the link says. */
export async function follow(linkup: Linkup, uri: vscode.Uri): Promise<void> {
  const query = new URLSearchParams(uri.query);
  const service = query.get("service");
  const target = query.get("target");
  if (uri.path === "/start") {
    if (await confirmed(t("start the session of this workspace"))) await start(linkup, "tunneled");
  } else if (uri.path === "/stop") {
    if (await confirmed(t("stop the session of this workspace"))) await stop(linkup);
  } else if (uri.path === "/route" && service && (target === "local" || target === "remote")) {
    const what =
      target === "local"
        ? t("route the service {0} to this machine", service)
        : t("route the service {0} to its remote copy", service);
    if (!(await confirmed(what))) return;
    const session = await chooseSession(linkup, undefined);
    if (session) await route(linkup, session, [service], target);
  } else if (uri.path === "/join") {
    // Without the invite: a link is in the arguments of the program that opens it.
    if (await confirmed(t("join a colleague's session")))
      await (await import("../commands/join-session.ts")).joinSession(linkup, query.get("session") ?? "");
  } else {
    await vscode.window.showWarningMessage(t("Linkup does not understand the link {0}.", uri.toString(true)));
  }
}

async function confirmed(what: string): Promise<boolean> {
  const yes = t("Yes");
  const question = t("A link asks Linkup to {0}. Do it?", what);
  const detail = t("Links can come from web pages and other programs. Agree only when you expect this one.");
  return (await vscode.window.showInformationMessage(question, { modal: true, detail }, yes)) === yes;
}
