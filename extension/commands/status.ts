/** Show Status and Explain Request: readable documents. */
import * as vscode from "vscode";
import type { Linkup } from "../linkup.ts";
import { explanationMarkdown } from "../views/explanation-text.ts";
import type { Row } from "../views/rows.ts";
import { statusText } from "../views/status-text.ts";
import { t } from "../words.ts";
import { chooseSession, selectorOf } from "./choose.ts";
import type { Documents } from "./preview-documents.ts";

export async function showStatus(linkup: Linkup, documents: Documents): Promise<void> {
  await linkup.configs.ready();
  await (await linkup.manager).refresh();
  await documents.show(t("Linkup Status"), statusText(linkup.model));
}

export async function explainRequest(linkup: Linkup, documents: Documents, row?: Row): Promise<void> {
  const session = await chooseSession(linkup, row);
  if (!session) return;
  const url = await vscode.window.showInputBox({
    title: t("Explain Request"),
    prompt: t("The URL of the request"),
    value: row?.subject.is === "url" ? row.subject.url : (session.urls[0] ?? ""),
    validateInput: (text) => (URL.canParse(text) ? undefined : t("This is not a URL.")),
  });
  if (!url) return;
  const lines = await vscode.window.showInputBox({
    title: t("Explain Request"),
    prompt: t("Headers, separated by semicolons (optional)"),
    placeHolder: "Referer: https://slim-gecko.example.com/; Origin: https://slim-gecko.example.com",
    validateInput: (text) => (parseHeaders(text) ? undefined : t("Write each header as name: value.")),
  });
  const headers = lines === undefined ? undefined : parseHeaders(lines);
  if (!headers) return;
  const explanation = await (await linkup.manager).explain(selectorOf(session), url, headers);
  await documents.show(t("Linkup Explanation"), explanationMarkdown(url, headers, explanation));
}

/** `Referer: https://a/; Origin: https://b`; undefined when a part is no header. */
export function parseHeaders(text: string): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (const part of text.split(";").map((part) => part.trim())) {
    if (!part) continue;
    const match = /^([!#$%&'*+.^_`|~0-9a-z-]+)\s*:\s*(.*)$/i.exec(part);
    if (!match) return undefined;
    headers[match[1]!.toLowerCase()] = match[2]!;
  }
  return headers;
}
