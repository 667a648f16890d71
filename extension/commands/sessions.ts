/** Sessions besides the workspace's own: previews, isolated sessions, and the list of all. */
import * as vscode from "vscode";
import type { Config } from "../../core/config/model/config-model.ts";
import { reservedNameError } from "../../core/session/reserved-names.ts";
import { sessionNameError } from "../../core/session/session-name.ts";
import type { CreateRequest } from "../../manager/manager.ts";
import { LinkupError } from "../../manager/model/problem.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";
import { kindWord, stateWord } from "../labels.ts";
import type { Linkup } from "../linkup.ts";
import { openSessionUrl } from "../open-url.ts";
import { readConfigFile } from "../read-config-file.ts";
import { setting } from "../settings.ts";
import { askInSteps, askMany, askText, BACK } from "../steps.ts";
import type { Row } from "../views/rows.ts";
import { waitFor, waitForAnswer } from "../waiting.ts";
import { t, translated } from "../words.ts";
import { chooseConfig, selectorOf } from "./choose.ts";
import { othersOf, requireTrust } from "./start-stop.ts";

/** A preview exists only on the Worker and needs no machine: for reviewers of services that are deployed elsewhere. */
export async function createPreview(linkup: Linkup, row?: Row): Promise<void> {
  const config = await chooseConfig(linkup, row);
  if (!config || !(await requireTrust())) return;
  if (!(await linkup.confirmWorker(config.path))) return;
  const content = await readConfigFile(config.path);
  const asked = await askForPreview(content);
  if (!asked) return;
  const { locations, name } = asked;
  await create(linkup, t("Creating the preview"), {
    configPath: config.path,
    kind: "preview",
    locations,
    ...(name ? { name } : {}),
  });
}

/** Which services, the URL of each, and a name, each with a way back. Undefined when the user cancelled. */
async function askForPreview(
  content: Config,
): Promise<{ locations: Record<string, string>; name: string } | undefined> {
  const items = content.services.map(({ name, remote }) => ({ label: name, description: remote }));
  const { isHttpUrl } = await import("../../core/session/session-document.ts");
  const title = t("Create Preview Session");
  let picked: readonly (typeof items)[number][] = [];
  const locations = new Map<string, string>();
  let name = "";
  const askServices = async () => {
    const placeholder = t("Services that the preview takes from another URL");
    const answer = await askMany({
      title,
      step: 1,
      totalSteps: picked.length + 2,
      placeholder,
      items,
      picked,
    });
    if (answer === undefined || answer === BACK) return undefined;
    picked = answer;
    return true;
  };
  const askLocation = async (index: number) => {
    const { label, description } = picked[index - 1]!;
    const answer = await askText({
      title,
      step: index + 1,
      totalSteps: picked.length + 2,
      prompt: t("URL of {0} in the preview", label),
      value: locations.get(label) ?? description,
      validate: (text) => locationError(text, isHttpUrl),
    });
    if (typeof answer !== "string") return answer;
    locations.set(label, answer);
    return true;
  };
  const askForName = async (index: number) => {
    const answer = await askText({
      title,
      step: index + 1,
      totalSteps: picked.length + 2,
      prompt: t("Name (empty: derived from the content)"),
      value: name,
      validate: nameValidator(content),
    });
    if (typeof answer !== "string") return answer;
    name = answer;
    return true;
  };
  const done = await askInSteps((index) => {
    if (index === 0) return askServices;
    if (index <= picked.length) return () => askLocation(index);
    return index === picked.length + 1 ? () => askForName(index) : undefined;
  });
  if (!done) return undefined;
  const chosen = picked.map(({ label }) => [label, locations.get(label)!] as const);
  return { locations: Object.fromEntries(chosen), name };
}

/** An isolated session beside the workspace's own one stays on this machine. */
export async function createIsolated(linkup: Linkup, row?: Row): Promise<void> {
  const config = await chooseConfig(linkup, row);
  if (!config || !(await requireTrust())) return;
  const validateInput = nameValidator(await readConfigFile(config.path));
  const prompt = t("Name (empty: a random one)");
  const title = t("Create Isolated Session");
  const name = await vscode.window.showInputBox({ title, prompt, ignoreFocusOut: true, validateInput });
  if (name === undefined) return;
  await create(linkup, t("Creating the session"), {
    configPath: config.path,
    kind: "isolated",
    locations: {},
    ...(name ? { name } : {}),
  });
}

/** Cancelled, it leaves nothing behind. */
async function create(linkup: Linkup, title: string, request: CreateRequest): Promise<void> {
  const timeoutMs = setting("timeouts.start") * 1_000;
  const session = await waitFor(title, async (signal) =>
    (await linkup.manager).create(request, signal, timeoutMs),
  );
  if (session) await offer(linkup, session);
}

export async function deleteSession(linkup: Linkup, row?: Row): Promise<void> {
  const session =
    row?.subject.is === "session"
      ? row.subject.session
      : await pickSession(linkup, t("Delete Session"), t("The session to delete"));
  if (!session) return;
  const yes = t("Delete");
  const question = t("Delete the session {0}?", session.name ?? kindWord(session.kind));
  const detail = [t("Its URLs stop working for everyone."), ...(await othersOf(linkup, session))].join("\n");
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
  await linkup.stop(selectorOf(session));
}

async function pickSession(
  linkup: Linkup,
  title: string,
  placeHolder: string,
): Promise<SessionView | undefined> {
  const seen = await waitForAnswer(t("Looking for sessions"), async () => (await linkup.manager).look());
  if (!seen) return undefined;
  const { sessions } = seen;
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

function locationError(text: string, isHttpUrl: (text: string) => boolean): string | undefined {
  if (!isHttpUrl(text)) return t("Enter an http or https URL.");
  // The Worker refuses all private addresses; this check catches the most likely one early.
  if (new URL(text).hostname === "localhost")
    return t("{0} is on this machine, which a preview cannot reach.", text);
  return undefined;
}

/** What is wrong with a session's name; an empty one is right. */
function nameValidator(config: Config): (text: string) => string | undefined {
  const workerHost = new URL(config.linkup.worker_url).host;
  const domains = config.domains.map(({ domain }) => domain);
  return (text) => {
    const error =
      text === "" ? undefined : (sessionNameError(text) ?? reservedNameError(text, { workerHost, domains }));
    return error && translated(error);
  };
}

/** Offers to copy or open the URL of a new session. */
async function offer(linkup: Linkup, { name, urls: [url] }: SessionView): Promise<void> {
  if (!url) return;
  const [copy, open] = [t("Copy URL"), t("Open in Browser")];
  // Not awaited: the notification may stay open for long.
  void vscode.window
    .showInformationMessage(t("The session {0} is at {1}", name ?? "", url), copy, open)
    .then(async (choice) => {
      if (choice === copy) await vscode.env.clipboard.writeText(url);
      if (choice === open) await openSessionUrl(linkup, url);
    });
}
