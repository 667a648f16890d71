/** Sessions besides the workspace's own: previews, isolated sessions, and the list of all. */
import * as vscode from "vscode";
import type { Config } from "../../core/config/model/config-model.ts";
import { reservedNameError } from "../../core/session/reserved-names.ts";
import { sessionNameError } from "../../core/session/session-name.ts";
import { LinkupError } from "../../manager/model/problem.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";
import { kindWord, stateWord } from "../labels.ts";
import type { Linkup } from "../linkup.ts";
import { readConfigFile } from "../read-config-file.ts";
import type { Row } from "../views/rows.ts";
import { t, translated } from "../words.ts";
import { chooseConfig, selectorOf } from "./choose.ts";
import { openUrl } from "./open.ts";
import { requireTrust } from "./start-stop.ts";

/** A preview exists only on the Worker and needs no machine: for reviewers of services that are deployed elsewhere. */
export async function createPreview(linkup: Linkup, row?: Row): Promise<void> {
  const config = await chooseConfig(linkup, row);
  if (!config || !(await requireTrust())) return;
  if (!(await linkup.confirmWorker(config.path))) return;
  const content = await readConfigFile(config.path);
  const picked = await vscode.window.showQuickPick(
    content.services.map(({ name, remote }) => ({ label: name, description: remote })),
    {
      title: t("Create Preview Session"),
      placeHolder: t("Services that the preview takes from another URL"),
      canPickMany: true,
    },
  );
  if (!picked) return;
  const locations: Record<string, string> = {};
  for (const { label, description } of picked) {
    const location = await askLocation(label, description ?? "");
    if (location === undefined) return;
    locations[label] = location;
  }
  const name = await askName(
    t("Create Preview Session"),
    t("Name (empty: derived from the content)"),
    content,
  );
  if (name === undefined) return;
  const create = async () =>
    (await linkup.manager).create({
      configPath: config.path,
      kind: "preview",
      locations,
      ...(name ? { name } : {}),
    });
  await offer(await vscode.window.withProgress({ location: { viewId: "linkup.sessions" } }, create));
}

/** An isolated session beside the workspace's own one stays on this machine. */
export async function createIsolated(linkup: Linkup, row?: Row): Promise<void> {
  const config = await chooseConfig(linkup, row);
  if (!config || !(await requireTrust())) return;
  const name = await askName(
    t("Create Isolated Session"),
    t("Name (empty: a random one)"),
    await readConfigFile(config.path),
  );
  if (name === undefined) return;
  const create = async () =>
    (await linkup.manager).create({
      configPath: config.path,
      kind: "isolated",
      locations: {},
      ...(name ? { name } : {}),
    });
  await offer(await vscode.window.withProgress({ location: { viewId: "linkup.sessions" } }, create));
}

export async function deleteSession(linkup: Linkup, row?: Row): Promise<void> {
  const session =
    row?.subject.is === "session"
      ? row.subject.session
      : await pickSession(linkup, t("Delete Session"), t("The session to delete"));
  if (!session) return;
  const yes = t("Delete");
  const question = t("Delete the session {0}?", session.name ?? kindWord(session.kind));
  const detail = t("Its URLs stop working for everyone.");
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
  await (await linkup.manager).stop(selectorOf(session));
}

async function pickSession(
  linkup: Linkup,
  title: string,
  placeHolder: string,
): Promise<SessionView | undefined> {
  const { sessions } = await (await linkup.manager).look();
  if (sessions.length === 0)
    throw new LinkupError("session-unknown", t("No session is running on this machine."), [
      { command: "start", title: t("Start") },
    ]);
  const items = sessions.map((session) => ({
    label: session.name ?? kindWord(session.kind),
    description: [kindWord(session.kind), stateWord(session.state)].join(" · "),
    detail: session.urls.join("  "),
    session,
  }));
  return (await vscode.window.showQuickPick(items, { title, placeHolder, matchOnDetail: true }))?.session;
}

async function askLocation(service: string, value: string): Promise<string | undefined> {
  const { isHttpUrl } = await import("../../core/session/session-document.ts");
  return await vscode.window.showInputBox({
    title: t("Create Preview Session"),
    prompt: t("URL of {0} in the preview", service),
    value,
    ignoreFocusOut: true,
    validateInput: (text) => {
      if (!isHttpUrl(text) || !URL.canParse(text)) return t("Enter an http or https URL.");
      // The Worker refuses all private addresses; this check catches the most likely one early.
      if (new URL(text).hostname === "localhost")
        return t("{0} is on this machine, which a preview cannot reach.", text);
      return undefined;
    },
  });
}

/** Empty for none. */
async function askName(title: string, prompt: string, config: Config): Promise<string | undefined> {
  const workerHost = new URL(config.linkup.worker_url).host;
  const domains = config.domains.map(({ domain }) => domain);
  const validateInput = (text: string) => {
    const error =
      text === "" ? undefined : (sessionNameError(text) ?? reservedNameError(text, { workerHost, domains }));
    return error && translated(error);
  };
  return await vscode.window.showInputBox({ title, prompt, ignoreFocusOut: true, validateInput });
}

/** Offers to copy or open the URL of a new session. */
async function offer({ name, urls: [url] }: SessionView): Promise<void> {
  if (!url) return;
  const [copy, open] = [t("Copy URL"), t("Open in Browser")];
  // Not awaited: the notification may stay open for long.
  void vscode.window
    .showInformationMessage(t("The session {0} is at {1}", name ?? "", url), copy, open)
    .then(async (choice) => {
      if (choice === copy) await vscode.env.clipboard.writeText(url);
      if (choice === open) await openUrl(url);
    });
}
