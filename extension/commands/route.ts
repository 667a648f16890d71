/** Where services are served: the inline toggles, the pick list, and all at once. */
import * as vscode from "vscode";
import type { Target } from "../../core/config/model/config-model.ts";
import type { ServiceView, SessionView } from "../../manager/model/snapshot.ts";
import { healthWord, targetWord } from "../labels.ts";
import type { Linkup } from "../linkup.ts";
import { setting } from "../settings.ts";
import type { Row } from "../views/rows.ts";
import { waitFor } from "../waiting.ts";
import { hostOf } from "../window-model.ts";
import { t } from "../words.ts";
import { chooseSession, selectorOf } from "./choose.ts";

/** Resolves when the next request follows, or the user has cancelled. */
export async function route(
  linkup: Linkup,
  session: SessionView,
  services: string[] | "all",
  target: Target,
): Promise<void> {
  const what = services === "all" ? t("all services") : services.join(", ");
  const title = target === "local" ? t("Routing {0} to local", what) : t("Routing {0} to remote", what);
  const timeoutMs = setting("timeouts.toggle") * 1_000;
  await waitFor(title, async (signal) =>
    (await linkup.manager).route(selectorOf(session), services, target, signal, timeoutMs),
  );
}

/** The button of a row, or of all selected rows. From the palette it lets the user pick. */
export async function routeTo(
  linkup: Linkup,
  target: Target,
  row?: Row,
  rows: readonly Row[] = [],
): Promise<void> {
  const routed = routable(rows);
  if (routed.size === 0) return await routeService(linkup, row);
  for (const [session, services] of routed) await route(linkup, session, services, target);
}

/** Space on services' rows: all selected ones go where the first of them is not. */
export async function toggleService(linkup: Linkup, view: vscode.TreeView<Row>, row?: Row): Promise<void> {
  if (!row) await vscode.commands.executeCommand("list.select");
  const rows = row ? [row] : view.selection;
  const first = rows.map(({ subject }) => subject).find((subject) => subject.is === "service");
  if (!first) return void (await vscode.commands.executeCommand("list.toggleExpand"));
  for (const [session, services] of routable(rows))
    await route(linkup, session, services, other(first.service.target));
}

/** The services of these rows, by their session; not those of previews, which cannot be routed. */
function routable(rows: readonly Row[]): Map<SessionView, string[]> {
  const services = new Map<SessionView, string[]>();
  for (const { subject } of rows) {
    if (subject.is !== "service" || subject.session.kind === "preview") continue;
    services.set(subject.session, [...(services.get(subject.session) ?? []), subject.service.name]);
  }
  return services;
}

export async function routeAll(linkup: Linkup, target: Target, row?: Row): Promise<void> {
  const session = await chooseSession(linkup, row);
  if (session) await route(linkup, session, "all", target);
}

/** Pick a service; picking it toggles it. */
export async function routeService(linkup: Linkup, row?: Row): Promise<void> {
  const session = await chooseSession(linkup, row);
  if (!session) return;
  const picked = await vscode.window.showQuickPick(session.services.map(serviceItem), {
    title: t("Route Service of {0}", session.name ?? ""),
    placeHolder: t("Pick the service to switch between local and remote"),
    matchOnDescription: true,
  });
  if (picked) await route(linkup, session, [picked.service.name], other(picked.service.target));
}

function serviceItem(service: ServiceView) {
  const { name, target, health, reason } = service;
  const to = other(target);
  return {
    label: name,
    iconPath: new vscode.ThemeIcon(target === "local" ? "home" : "cloud"),
    description: `${targetWord(target)} · ${hostOf(service[target])} · ${reason ?? healthWord(health)}`,
    detail:
      to === "local" ? t("Route to local, {0}", service.local) : t("Route to remote, {0}", service.remote),
    service,
  };
}

function other(target: Target): Target {
  return target === "local" ? "remote" : "local";
}
