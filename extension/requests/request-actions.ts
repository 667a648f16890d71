/** What the menu of a request does. */
import * as vscode from "vscode";
import { changesNothing, type ExchangeDetails } from "../../core/api/request-log-api.ts";
import type { Config } from "../../core/config/model/config-model.ts";
import { isUrlTarget } from "../../core/config/model/target.ts";
import { curlCommand } from "../../core/exchange/curl.ts";
import { harOf } from "../../core/exchange/har.ts";
import { parseHttpFile, printHttpFile } from "../../core/exchange/http-file.ts";
import type { Explanation } from "../../core/routing/explain-request.ts";
import type { ComparedRow } from "../../manager/operations/compare.ts";
import { version } from "../../package.json";
import type { Linkup } from "../linkup.ts";
import { openSessionUrl } from "../open-url.ts";
import { report } from "../report-problem.ts";
import { nameIn, showInConfig } from "../show-in-config.ts";
import { waitForAnswer, waitUntilDone } from "../waiting.ts";
import { runningSession } from "../window-model.ts";
import { t, translated } from "../words.ts";
import type { HarFile } from "./har-file.ts";
import type { RowAction } from "./protocol.ts";
import { imageDocument, responseDocument } from "./response-documents.ts";

/** Requests read at the same time for a HAR. */
const CONCURRENT = 20;
const SEND_COMMAND = "linkup.requests.send";

export async function runAction(linkup: Linkup, action: RowAction, ids: number[]): Promise<void> {
  const [id] = ids;
  if (id === undefined) return;
  switch (action) {
    case "copyCurl":
      return copyCurl(linkup, id);
    case "copyUrl":
      return vscode.env.clipboard.writeText(urlOf(await details(linkup, id)));
    case "openInBrowser":
      return openInBrowser(linkup, id);
    case "goToConfig":
      return goToConfig(linkup, await details(linkup, id));
    case "replay":
      return replay(linkup, id);
    case "edit":
      return edit(linkup, id);
    case "compare":
      return compare(linkup, (await details(linkup, id)).session, { ids });
    case "saveHar":
      return saveHar(linkup, ids);
  }
}

/** With a request of a file, which is in no log. */
export async function runFileAction(
  linkup: Linkup,
  { requests }: HarFile,
  action: RowAction,
  ids: number[],
): Promise<void> {
  const exchange = requests.get(ids[0] ?? 0);
  if (!exchange) return;
  if (action === "copyUrl") await vscode.env.clipboard.writeText(urlOf(exchange));
  else if (action === "openInBrowser") await openPage(linkup, exchange);
  else throw new Error(t("This request was loaded from a file: it cannot be sent again or looked up."));
}

function details(linkup: Linkup, id: number): Promise<ExchangeDetails> {
  return waitUntilDone(t("Reading the request"), async () => (await linkup.manager).requestLog.request(id));
}

function urlOf({ secure, client_host, target }: ExchangeDetails): string {
  return `${secure ? "https" : "http"}://${client_host}${target}`;
}

async function copyCurl(linkup: Linkup, id: number): Promise<void> {
  const { requestLog } = await linkup.manager;
  const status = await requestLog.status();
  if (!status) throw new Error(t("No session is running on this machine, so there are no requests to show."));
  await vscode.env.clipboard.writeText(curlCommand(await requestLog.request(id), status.browser_port));
}

async function openInBrowser(linkup: Linkup, id: number): Promise<void> {
  await openPage(linkup, await details(linkup, id));
}

async function openPage(linkup: Linkup, exchange: ExchangeDetails): Promise<void> {
  if (changesNothing(exchange.method)) await openSessionUrl(linkup, urlOf(exchange));
  else
    throw new Error(t("A browser can only open GET requests, and this is a {0} request.", exchange.method));
}

/** The override or the route that decided, or the service. */
async function goToConfig(linkup: Linkup, { session, service, explanation }: ExchangeDetails): Promise<void> {
  const { sessions } = linkup.model.snapshot;
  const path = sessions.find(({ name }) => name === session)?.configPath ?? linkup.model.configs[0]?.path;
  if (path === undefined) throw new Error(t("The session of this request has no linkup.yaml here."));
  await showInConfig(path, (config) => config && placeOf(config, explanation.decision, service));
}

/** Undefined for what the file does not have, or no longer. */
function placeOf(
  config: Config,
  decision: Explanation["decision"],
  service: string | null,
): (string | number)[] | undefined {
  const { services, domains, overrides = [] } = config;
  if (decision?.outcome === "routed") {
    const { override, reason, match } = decision;
    if (override !== undefined && overrides.some(({ name }) => name === override))
      return nameIn(config, "overrides", override);
    const domainIndex = domains.findIndex(({ domain }) => domain === match?.domain.domain);
    if (reason.by === "route" && domains[domainIndex]?.routes?.[reason.index])
      return ["domains", domainIndex, "routes", reason.index, "path"];
  }
  return service !== null && services.some(({ name }) => name === service)
    ? nameIn(config, "services", service)
    : undefined;
}

async function replay(linkup: Linkup, id: number): Promise<void> {
  const exchange = await details(linkup, id);
  const items = [
    { label: t("Session"), description: t("where the session routes it now"), to: "session" },
    { label: t("Local copy"), description: exchange.service ?? "", to: "local" },
    { label: t("Remote copy"), description: exchange.service ?? "", to: "remote" },
    { label: t("URL…"), description: t("another copy of the service"), to: "" },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: `${exchange.method} ${exchange.target}`,
    placeHolder: t("Where should the request be sent?"),
  });
  const to =
    picked?.to === ""
      ? await vscode.window.showInputBox({
          title: t("URL…"),
          prompt: t("The URL of another copy of the service"),
          validateInput: (text) =>
            isUrlTarget(text) && URL.canParse(text) ? undefined : t("Enter an http or https URL."),
        })
      : picked?.to;
  if (to) await send(linkup, id, to);
}

/** Asks before a method that may change data, and before secrets go elsewhere than before. */
async function send(linkup: Linkup, id: number, to: string, text?: string): Promise<void> {
  const manager = await linkup.manager;
  const parsed = text === undefined ? undefined : parseHttpFile(text);
  const { method, target } = parsed ?? (await details(linkup, id));
  if (!changesNothing(method)) {
    const button = t("Send Again");
    const question = t("{0} {1} may change data where it is sent. Send it again?", method, target);
    if ((await vscode.window.showWarningMessage(question, { modal: true }, button)) !== button) return;
  }
  const { url: _url, ...edited } = parsed ?? { url: "" };
  const options = { to, ...(parsed ? { edited: edited as Omit<typeof parsed, "url"> } : {}) };
  let response = await waitForAnswer(t("Sending the request again"), () => manager.replay(id, options));
  if (!response) return;
  if (response.withheld.length > 0) {
    const button = t("Send with Secrets");
    const question = t(
      "It was sent without {0}, because {1} has never received them. Send it again with them?",
      response.withheld.join(", "),
      new URL(response.url).host,
    );
    if ((await vscode.window.showInformationMessage(question, { modal: true }, button)) === button)
      response = await waitForAnswer(t("Sending the request again"), () =>
        manager.replay(id, { ...options, secrets: true }),
      );
    if (!response) return;
  }
  const document = responseDocument(`${method} ${target}`, response);
  await vscode.window.showTextDocument(document, { preview: true });
}

/** Opens the request as a .http file; its lens sends it. */
async function edit(linkup: Linkup, id: number): Promise<void> {
  registerSending(linkup);
  const languages = await vscode.languages.getLanguages();
  const document = await vscode.workspace.openTextDocument({
    language: languages.includes("http") ? "http" : "plaintext",
    content: printHttpFile(await details(linkup, id)),
  });
  await vscode.window.showTextDocument(document);
}

let _sending: vscode.Disposable | undefined;

function registerSending(linkup: Linkup): void {
  _sending ??= vscode.Disposable.from(
    vscode.commands.registerCommand(SEND_COMMAND, (id: number, to: string, text: string) =>
      send(linkup, id, to, text).catch((error) => void report(error, linkup)),
    ),
    vscode.languages.registerCodeLensProvider([{ scheme: "untitled" }, { pattern: "**/*.http" }], {
      provideCodeLenses: (document) => {
        const text = document.getText();
        const [whole, id] = /^### Request (\d+) of Linkup's log/m.exec(text) ?? [];
        if (id === undefined) return [];
        const line = document.positionAt(text.indexOf(whole!)).line;
        const range = new vscode.Range(line, 0, line, 0);
        const lens = (title: string, to: string) =>
          new vscode.CodeLens(range, { title, command: SEND_COMMAND, arguments: [Number(id), to, text] });
        return [
          lens(t("Send to Session"), "session"),
          lens(t("Send to Local Copy"), "local"),
          lens(t("Send to Remote Copy"), "remote"),
        ];
      },
    }),
  );
}

/** Shows the answers of both copies beside each other. `session`: null for the one that runs. */
export async function compare(
  linkup: Linkup,
  session: string | null,
  asked: { ids?: number[]; last?: number },
): Promise<void> {
  const manager = await linkup.manager;
  const name = session ?? runningSession(linkup.model);
  if (name === undefined) throw new Error(t("No session is running."));
  let rows = await withProgress(() => manager.compare({ name }, asked));
  const unsafe = rows.filter(({ method, skipped }) => skipped && !changesNothing(method));
  // Of chosen requests alone: of the newest ones none was unsafe.
  const agreed = { ...asked, unsafe: unsafe.length > 0 && (await maySendToBoth(unsafe)) };
  if (agreed.unsafe) rows = await withProgress(() => manager.compare({ name }, agreed));
  else if (unsafe.length > 0 && unsafe.length === rows.length) return;
  const withheld = [...new Set(rows.flatMap(({ withheld }) => withheld))];
  if (withheld.length > 0) {
    const button = t("Compare with Secrets");
    const question = t(
      "Sent to one copy only, because the other has never received it: {0}. Send it to both?",
      withheld.join(", "),
    );
    if ((await vscode.window.showInformationMessage(question, { modal: true }, button)) === button)
      rows = await withProgress(() => manager.compare({ name }, { ...agreed, secrets: true }));
  }
  await showComparison(linkup, name, rows);
}

async function maySendToBoth(unsafe: readonly ComparedRow[]): Promise<boolean> {
  const button = t("Send to Both");
  const question =
    unsafe.length === 1
      ? t("This request may change data in both copies. Send it?")
      : t("These {0} requests may change data in both copies. Send them?", unsafe.length);
  const detail = unsafe.map(({ method, target }) => `${method} ${target}`).join("\n");
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) === button;
}

function withProgress<T>(task: () => Promise<T>): Thenable<T> {
  const title = t("Comparing local with remote");
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, task);
}

async function showComparison(linkup: Linkup, session: string, rows: ComparedRow[]): Promise<void> {
  const compared = rows.filter(({ local, remote }) => local && remote);
  if (compared.length === 0) {
    const why = rows.find(({ skipped }) => skipped)?.skipped;
    throw new Error(why ? translated(why) : t("There are no requests to compare. Use the session first."));
  }
  const shown =
    compared.length === 1 ? compared : compared.filter(({ differences }) => differences.length > 0);
  const texts: ComparedRow[] = [];
  for (const row of shown) if (!(await showImages(row))) texts.push(row);
  const changes = texts.map(({ method, target, local, remote }) => {
    const name = `${method} ${target}`;
    return [responseDocument(`remote ${name}`, remote!), responseDocument(`local ${name}`, local!)] as const;
  });
  const [first] = changes;
  const title = t("Remote ↔ local: {0}", texts[0] ? `${texts[0].method} ${texts[0].target}` : "");
  if (changes.length === 1) await vscode.commands.executeCommand("vscode.diff", first![0], first![1], title);
  else if (changes.length > 1)
    await vscode.commands.executeCommand(
      "vscode.changes",
      t("Remote ↔ local"),
      changes.map(([remote, local]) => [local, remote, local]),
    );
  const different = compared.filter(({ differences }) => differences.length > 0);
  const summary = t("{0} of {1} requests are answered differently.", different.length, compared.length);
  const ignorable = ignorablePlaces(different);
  const buttons = ignorable.length > 0 ? [t("Ignore…")] : [];
  void vscode.window.showInformationMessage(summary, ...buttons).then(async (choice) => {
    if (choice !== undefined)
      await ignoreDifferences(linkup, session, ignorable).catch((error) => void report(error, linkup));
  });
}

/** As `compare.ignore` has them. A status cannot be ignored, nor a body that is no JSON. */
function ignorablePlaces(rows: ComparedRow[]): string[] {
  const places = rows.flatMap(({ differences }) =>
    differences.flatMap(({ where, path }) =>
      where === "header"
        ? [`header:${path}`]
        : where === "body" && path !== ""
          ? [path.replace(/\[\d+\]/g, ".*").replace(/^\./, "")]
          : [],
    ),
  );
  return [...new Set(places)];
}

/** Opens both answers beside each other where they are images and only these differ. */
async function showImages({ method, target, local, remote, differences }: ComparedRow): Promise<boolean> {
  if (differences.some(({ where }) => where !== "body")) return false;
  const name = `${method} ${target}`;
  const [left, right] = [imageDocument(`remote ${name}`, remote!), imageDocument(`local ${name}`, local!)];
  if (!left || !right) return false;
  const title = t("Remote ↔ local: {0}", name);
  await vscode.commands.executeCommand("vscode.diff", left, right, title, { preview: false });
  return true;
}

/** Writes what the user picks to `compare.ignore` of linkup.yaml. */
async function ignoreDifferences(
  linkup: Linkup,
  session: string,
  ignorable: readonly string[],
): Promise<void> {
  const items = ignorable.map((label) => ({ label }));
  const picked = await vscode.window.showQuickPick(items, {
    title: t("Which differences should be ignored from now on?"),
    canPickMany: true,
  });
  const path = linkup.model.snapshot.sessions.find(({ name }) => name === session)?.configPath;
  if (!picked || picked.length === 0 || path === undefined) return;
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(path));
  const { withIgnored } = await import("./ignored-differences.ts");
  const text = document.getText();
  const edit = new vscode.WorkspaceEdit();
  const whole = new vscode.Range(document.positionAt(0), document.positionAt(text.length));
  edit.replace(
    document.uri,
    whole,
    withIgnored(
      text,
      picked.map(({ label }) => label),
    ),
  );
  // What the user has not saved yet stays so.
  const { isDirty } = document;
  if ((await vscode.workspace.applyEdit(edit)) && !isDirty) await document.save();
}

async function saveHar(linkup: Linkup, ids: number[]): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    filters: { HAR: ["har"], NDJSON: ["ndjson"] },
    saveLabel: t("Save"),
    title: t("Save Requests"),
  });
  if (!target) return;
  const found = await waitForAnswer(t("Saving the requests"), () => read(linkup, ids));
  if (!found) return;
  const text = target.path.endsWith(".ndjson")
    ? found.map((exchange) => `${JSON.stringify(exchange)}\n`).join("")
    : `${JSON.stringify(harOf(found, version), null, 1)}\n`;
  await vscode.workspace.fs.writeFile(target, Buffer.from(text));
}

async function read(linkup: Linkup, ids: readonly number[]): Promise<ExchangeDetails[]> {
  const { requestLog } = await linkup.manager;
  const found: ExchangeDetails[] = [];
  for (let start = 0; start < ids.length; start += CONCURRENT) {
    const read = await Promise.allSettled(
      ids.slice(start, start + CONCURRENT).map((id) => requestLog.request(id)),
    );
    // What is no longer kept is left out.
    found.push(...read.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
  }
  return found;
}
