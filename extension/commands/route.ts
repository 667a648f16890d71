/** Where services are served: the inline toggles, the pick list, and all at once. */
import * as vscode from "vscode";
import { isUrlTarget, type Target, targetKind } from "../../core/config/model/target.ts";
import { isSessionName } from "../../core/session/session-name.ts";
import {
  addressOf,
  isLocalNow,
  placeOf,
  type ServiceView,
  type SessionView,
} from "../../manager/model/snapshot.ts";
import { healthWord, PLACE_ICONS, placeWord, targetWord } from "../labels.ts";
import type { Linkup } from "../linkup.ts";
import { setting } from "../settings.ts";
import type { Row } from "../views/rows.ts";
import { waitFor } from "../waiting.ts";
import { hostOf, type JoinedSession } from "../window-model.ts";
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
  const title =
    target === "local"
      ? t("Routing {0} to local", what)
      : target === "remote"
        ? t("Routing {0} to remote", what)
        : t("Routing {0} to {1}", what, target);
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
  const joined = joinedServices(rows);
  if (joined.size > 0 && (target === "local" || target === "remote")) {
    const { routeJoined } = await import("./join-session.ts");
    for (const [session, services] of joined) await routeJoined(linkup, session, services, target);
  }
  const routed = routable(rows);
  if (routed.size === 0 && joined.size > 0) return;
  if (routed.size === 0) return await routeService(linkup, row);
  for (const [session, services] of routed) await route(linkup, session, services, target);
}

/** Space on services' rows: all selected ones go where the first of them is not. */
export async function toggleService(linkup: Linkup, view: vscode.TreeView<Row>, row?: Row): Promise<void> {
  if (!row) await vscode.commands.executeCommand("list.select");
  const rows = row ? [row] : view.selection;
  const elsewhere = rows.map(({ subject }) => subject).find((subject) => subject.is === "joinedService");
  if (elsewhere)
    return await routeTo(linkup, elsewhere.service.target === "local" ? "remote" : "local", row, rows);
  const first = rows.map(({ subject }) => subject).find((subject) => subject.is === "service");
  if (!first) return void (await vscode.commands.executeCommand("list.toggleExpand"));
  for (const [session, services] of routable(rows))
    await route(linkup, session, services, other(first.service));
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

/** The services of these rows in colleagues' sessions, by their session. */
function joinedServices(rows: readonly Row[]): Map<JoinedSession, string[]> {
  const services = new Map<JoinedSession, string[]>();
  for (const { subject } of rows)
    if (subject.is === "joinedService")
      services.set(subject.joined, [...(services.get(subject.joined) ?? []), subject.service.name]);
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
  if (picked) await route(linkup, session, [picked.service.name], other(picked.service));
}

function serviceItem(service: ServiceView) {
  const { name, health, reason } = service;
  const to = other(service);
  return {
    label: name,
    iconPath: new vscode.ThemeIcon(PLACE_ICONS[placeOf(service)]),
    description: `${placeWord(service)} · ${hostOf(addressOf(service))} · ${reason ?? healthWord(health)}`,
    detail:
      to === "local" ? t("Route to local, {0}", service.local) : t("Route to remote, {0}", service.remote),
    service,
  };
}

/** What the toggles switch to: the deployed copy of what is on this machine, and this machine for everything else. */
function other(service: ServiceView): Target {
  return isLocalNow(service) ? "remote" : "local";
}

/** Pick where the row's service, or all selected ones, should be. */
export async function routeServiceTo(linkup: Linkup, row?: Row, rows: readonly Row[] = []): Promise<void> {
  const routed = [...routable(rows.length > 0 ? rows : row ? [row] : [])];
  if (routed.length === 0) {
    const session = await chooseSession(linkup, row);
    if (!session) return;
    const items = session.services.map((service) => ({ ...serviceItem(service), detail: service.remote }));
    const picked = await vscode.window.showQuickPick(items, {
      title: t("Route Service of {0}", session.name ?? ""),
      placeHolder: t("Pick the service to route"),
      matchOnDescription: true,
    });
    if (!picked) return;
    routed.push([session, [picked.service.name]]);
  }
  const names = routed.flatMap(([, names]) => names);
  const [session] = routed[0]!;
  const service = session.services.find(({ name }) => name === names[0])!;
  const target = await chooseTarget(service, names.join(", "));
  if (target === undefined) return;
  for (const [session, services] of routed) await route(linkup, session, services, target);
}

/** `what`: the services' names. The one that is there now has a check. */
async function chooseTarget(service: ServiceView, what: string): Promise<Target | undefined> {
  const { target: current, local, remote, targets = [], url = "" } = service;
  const kind = targetKind(current);
  const item = (target: Target, icon: string, description: string, label = targetWord(target)) => ({
    label,
    iconPath: new vscode.ThemeIcon(target === current ? "check" : icon),
    description: target === current ? `${t("now")} · ${description}` : description,
    choose: async (): Promise<Target | undefined> => target,
  });
  const items = [
    item("local", PLACE_ICONS.local, hostOf(local)),
    item("remote", PLACE_ICONS.remote, hostOf(remote)),
    item("auto", "sync", t("local while something listens there, remote otherwise")),
    ...targets.map((name) => item(name, PLACE_ICONS.other, t("from linkup.yaml"))),
    ...(kind === "url" ? [item(current, PLACE_ICONS.other, t("another URL"), current)] : []),
    ...(kind === "session" ? [item(current, "account", hostOf(url))] : []),
    {
      ...item("", PLACE_ICONS.other, t("a colleague's or a pull request's deployment"), t("Another URL…")),
      choose: askUrl,
    },
    {
      ...item("", "account", t("where that session has it"), t("Another session's copy…")),
      choose: askSession,
    },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: t("Route {0} to…", what),
    placeHolder: t("Now: {0}", placeWord(service)),
  });
  return picked?.choose();
}

async function askUrl(): Promise<Target | undefined> {
  return await vscode.window.showInputBox({
    title: t("Another URL…"),
    prompt: t("The URL to which the service's requests go"),
    placeHolder: "https://pr-12.example.com",
    validateInput: (text) =>
      isUrlTarget(text) && URL.canParse(text)
        ? undefined
        : t("Enter an http or https URL, such as https://example.com."),
  });
}

async function askSession(): Promise<Target | undefined> {
  const name = await vscode.window.showInputBox({
    title: t("Another session's copy…"),
    prompt: t("The name of the session; its owner has to allow it"),
    placeHolder: "bold-cat",
    validateInput: (text) =>
      isSessionName(text) ? undefined : t("Enter a session's name, such as bold-cat."),
  });
  return name === undefined ? undefined : `session:${name}`;
}
