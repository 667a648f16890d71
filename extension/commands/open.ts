/** Session URLs and files: opening and copying them. */
import * as vscode from "vscode";
import { isH2c } from "../../core/session/host-name.ts";
import { addressOf, type SessionView } from "../../manager/model/snapshot.ts";
import type { Linkup } from "../linkup.ts";
import { openSessionUrl, openUrl } from "../open-url.ts";
import { nameIn, showInConfig } from "../show-in-config.ts";
import type { Row } from "../views/rows.ts";
import { t } from "../words.ts";
import { chooseConfig, chooseUrl } from "./choose.ts";

export async function openSession(linkup: Linkup, row?: Row): Promise<void> {
  const url = await chooseUrl(linkup, row);
  if (url) await openSessionUrl(linkup, url);
}

export async function copyUrl(linkup: Linkup, row?: Row): Promise<void> {
  const url = await chooseUrl(linkup, row);
  if (!url) return;
  await vscode.env.clipboard.writeText(url);
  vscode.window.setStatusBarMessage(t("Copied {0}", url), 3000);
}

/** Opens the URL of the service's current target. */
export async function openService(row?: Row): Promise<void> {
  if (row?.subject.is !== "service") return;
  const { service } = row.subject;
  const url = addressOf(service);
  if (!isH2c(url)) return await openUrl(url);
  const message = t("{0} speaks HTTP/2 without TLS, which browsers cannot open.", service.name);
  await vscode.window.showInformationMessage(message);
}

export async function copyServiceUrl(row?: Row): Promise<void> {
  if (row?.subject.is !== "service") return;
  const { service } = row.subject;
  const url = addressOf(service);
  await vscode.env.clipboard.writeText(url);
  vscode.window.setStatusBarMessage(t("Copied {0}", url), 3000);
}

/** Opens linkup.yaml at the service, the override or the domain of a row. */
export async function revealInConfig(linkup: Linkup, row?: Row): Promise<void> {
  const subject = row?.subject;
  if (subject?.is !== "service" && subject?.is !== "url" && subject?.is !== "override")
    return await openConfig(linkup, row);
  const path = subject.session.configPath;
  if (path === undefined) return await openConfig(linkup, row);
  await showInConfig(path, (config) =>
    subject.is === "override"
      ? nameIn(config, "overrides", subject.override.name)
      : subject.is === "service"
        ? nameIn(config, "services", subject.service.name)
        : ["domains", domainOf(subject, config?.domains ?? []), "domain"],
  );
}

/** Which of the file's domains this URL of the session is for. */
function domainOf(
  { session, url }: { session: SessionView; url: string },
  domains: readonly { domain: string }[],
): number {
  const host = new URL(url).hostname;
  return domains.findIndex(({ domain }) => `${session.name}.${domain}`.toLowerCase() === host);
}

/** Opens the file, at its first error if there is one. */
export async function openConfig(linkup: Linkup, row?: Row): Promise<void> {
  const config = await chooseConfig(linkup, row);
  if (!config) return;
  const { line, column } = config.firstError ?? {};
  const place = line === undefined ? undefined : new vscode.Position(line, column ?? 0);
  const selection = place && { selection: new vscode.Range(place, place) };
  await vscode.window.showTextDocument(vscode.Uri.file(config.path), { ...selection });
}
