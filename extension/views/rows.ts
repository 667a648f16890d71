/** The Sessions view as rows of text: a pure function of the model. */

import { fallbackText } from "../../agent-tools/fallback-text.ts";
import { sessionOfTarget } from "../../core/config/model/target.ts";
import type { Problem } from "../../manager/model/problem.ts";
import {
  addressOf,
  type ComponentView,
  type Health,
  isLocalNow,
  type OverrideView,
  placeOf,
  type ServiceView,
  type SessionView,
} from "../../manager/model/snapshot.ts";
import {
  accessWord,
  componentDetail,
  componentName,
  componentState,
  healthReason,
  healthWord,
  kindWord,
  PLACE_ICONS,
  placeWord,
  problemMessage,
  stateWord,
  targetWord,
} from "../labels.ts";
import { code, escaped, escapedLines, link } from "../markdown.ts";
import {
  type ConfigFile,
  firstLine,
  hostOf,
  idleConfigs,
  type JoinedService,
  type JoinedSession,
  otherSessions,
  ownSessions,
  type RequestCounts,
  type WindowModel,
  withShortPaths,
} from "../window-model.ts";
import { t } from "../words.ts";

/** The thing a row represents; passed to the row's commands. */
export type Subject =
  | { is: "session"; session: SessionView }
  | { is: "config"; config: ConfigFile }
  | { is: "trust" }
  | { is: "url"; url: string; session: SessionView }
  | { is: "service"; session: SessionView; service: ServiceView }
  | { is: "overrides"; session: SessionView }
  | { is: "override"; session: SessionView; override: OverrideView }
  | { is: "joined"; joined: JoinedSession }
  | { is: "joinedService"; joined: JoinedSession; service: JoinedService }
  | { is: "components" }
  | { is: "component"; component: ComponentView }
  | { is: "problem"; problem: Problem };

export interface Row {
  /** Stable, so that the row stays expanded and selected. */
  id: string;
  label: string;
  /** Set when the row stands out among the others by a badge and a color. */
  mark?: "local" | "overridden" | undefined;
  description: string;
  /** A codicon, and the theme color it is drawn in. */
  icon: { name: string; color?: string };
  /** Markdown. */
  tooltip: string;
  /** Read by screen readers. */
  spoken: string;
  /** The `viewItem` that menu conditions test: `service.local`, `session.running`… */
  context: string;
  subject: Subject;
  expanded?: boolean;
  /** Set for a row with a checkbox. */
  checked?: boolean;
  children: Row[];
}

/** Colors of package.json: VS Code's own green is too pale for a light background. */
const GREEN = "linkup.healthyForeground";
const YELLOW = "linkup.warningForeground";
const RED = "linkup.unhealthyForeground";

/** Empty when the welcome view says it better. */
export function sessionRows(model: WindowModel): Row[] {
  if (!model.trusted && model.configs.length > 0)
    return [trustRow(), ...model.configs.map((config) => configuredRow(config, model))];
  const own = ownSessions(model);
  const others = otherSessions(model);
  const starting = model.configs.some(({ path }) => model.starting.has(path));
  const { problems } = model.snapshot;
  const { joined = [] } = model;
  if (
    own.length + others.length + joined.length + problems.length === 0 &&
    !starting &&
    model.configs.length < 2
  )
    return [];
  return [
    // Several sessions may report the same problem.
    ...new Map(problems.map((problem) => [problem.message, problemRow(problem, model)])).values(),
    ...own.map((session) => sessionRow(session, model, true)),
    ...idleConfigs(model).map((config) => configRow(config, model)),
    ...others.map((session) => sessionRow(session, model, false)),
    ...joined.map(joinedRow),
    ...componentsRow(model.snapshot.components),
  ];
}

function sessionRow(session: SessionView, model: WindowModel, own: boolean): Row {
  const { name, kind, state, access, services, urls } = session;
  const config = model.configs.find(({ path }) => path === session.configPath);
  const local = services.filter(isLocalNow).length;
  const down = services.filter(({ health }) => health === "unhealthy").length;
  const overridden = services.filter(({ overridden }) => overridden).map(({ name }) => name);
  const facts = [
    ...(state !== "running" ? [stateWord(state)] : []),
    // A preview has no local services.
    ...(state === "running" && kind !== "preview" ? [t("{0} of {1} local", local, services.length)] : []),
    ...(state === "running" && down > 0 ? [t("{0} unhealthy", down)] : []),
    ...(access === "private" ? [accessWord(access)] : []),
    ...(kind === "tunneled" ? [] : [kindWord(kind)]),
    ...(kind === "preview" && overridden.length > 0 ? [t("with its own {0}", overridden.join(", "))] : []),
    // The folder, where there are several.
    ...(config && (model.configs.length > 1 || session.secondary) ? [config.folder] : []),
    ...(config || !session.configPath ? [] : [folderOf(session.configPath)]),
  ];
  const label = name ?? config?.folder ?? kindWord(kind);
  return {
    id: `session:${session.configPath ?? ""}:${name ?? ""}`,
    label,
    description: facts.join(" · "),
    icon: sessionIcon(session, down > 0),
    tooltip: [
      [
        `**${escaped(label)}**`,
        kindWord(kind),
        ...(access ? [accessWord(access)] : []),
        stateWord(state),
      ].join(" · "),
      ...urls.map((url) => `- ${link(url)}`),
    ].join("\n\n"),
    spoken: t("Session {0}, {1}", label, facts.join(", ")),
    context: `session.${state}${own ? "" : session.secondary ? ".beside" : ".elsewhere"}${kind === "preview" ? ".preview" : ""}${accessMark(access)}`,
    subject: { is: "session", session },
    expanded: own,
    children: [
      ...urls.map((url) => urlRow(session, url)),
      ...services.map((service) => serviceRow(session, service, config !== undefined, model.requests)),
      ...overridesRow(session),
    ],
  };
}

/** Last in a session's context; an isolated one, which nobody else can open, has none. */
function accessMark(access: SessionView["access"]): string {
  if (access === undefined) return "";
  return access === "private" ? ".private" : ".public";
}

function sessionIcon({ state, access }: SessionView, unhealthy: boolean): Row["icon"] {
  if (state === "starting" || state === "stopping") return { name: "loading~spin" };
  if (state === "failed") return { name: "error", color: RED };
  if (unhealthy) return { name: "warning", color: YELLOW };
  return { name: access === "private" ? "lock" : "link", color: GREEN };
}

/** One row for all overrides of the file: with how many are on, for they surprise who has forgotten them. */
function overridesRow(session: SessionView): Row[] {
  const { overrides = [], configPath, name } = session;
  if (overrides.length === 0) return [];
  const on = overrides.filter(({ on }) => on);
  const description = on.length === 0 ? t("none on") : t("{0} on", on.map(({ name }) => name).join(", "));
  return [
    {
      id: `overrides:${configPath ?? ""}:${name ?? ""}`,
      label: t("Overrides"),
      description,
      icon: { name: "arrow-swap", ...(on.length > 0 ? { color: YELLOW } : {}) },
      tooltip: t("Requests that go elsewhere, get a fixed response or a fault"),
      spoken: t("Overrides, {0}", description),
      context: "overrides",
      subject: { is: "overrides", session },
      expanded: on.length > 0,
      children: overrides.map((override) => overrideRow(session, override)),
    },
  ];
}

function overrideRow(session: SessionView, override: OverrideView): Row {
  const { name, on, service, does, when, unsupported } = override;
  const facts = [
    ...(unsupported && on ? [t("on this machine only")] : []),
    ...(service === undefined ? [] : [service]),
    ...(when === "" ? [] : [when]),
    `→ ${does}`,
  ];
  return {
    id: `override:${session.configPath ?? ""}:${session.name ?? ""}:${name}`,
    label: name,
    description: facts.join(" · "),
    icon: { name: does === "fault" ? "bug" : does.startsWith("respond") ? "reply" : "arrow-right" },
    tooltip: `**${escaped(name)}** · ${on ? t("on") : t("off")}\n\n${code(facts.join(" · "))}`,
    spoken: t("Override {0}, {1}", name, on ? t("on") : t("off")),
    context: "override",
    subject: { is: "override", session, override },
    checked: on,
    children: [],
  };
}

/** A colleague's session: what is there, and who chose it. */
function joinedRow(joined: JoinedSession): Row {
  const { session, workerUrl, state, expires, services } = joined;
  const local = services.filter(({ target }) => target === "local").length;
  const facts = {
    running: [
      t("colleague's"),
      ...(services.length > 0 ? [t("{0} of {1} on the owner's machine", local, services.length)] : []),
    ],
    stopped: [t("colleague's"), t("stopped")],
    ended: [t("the invite has ended")],
    unreachable: [t("colleague's"), t("the Worker cannot be reached")],
  }[state];
  const tooltips = {
    running: t("A colleague's session, which you may route."),
    stopped: t("Its owner has stopped it. It comes back when it is started again."),
    ended: t("The invite was revoked or has expired: you can no longer route this session."),
    unreachable: t("The Worker does not answer. Linkup tries again."),
  };
  const icons = {
    running: { name: "organization", color: GREEN },
    stopped: { name: "circle-outline" },
    ended: { name: "circle-slash", color: RED },
    unreachable: { name: "warning", color: YELLOW },
  };
  return {
    id: `joined:${workerUrl}:${session}`,
    label: session,
    description: facts.join(" · "),
    icon: icons[state],
    tooltip: [
      `**${escaped(session)}** · ${tooltips[state]}`,
      `${t("Worker:")} ${code(hostOf(workerUrl))}`,
      ...(expires === undefined
        ? []
        : [t("The invite is valid until {0}.", new Date(expires).toLocaleString())]),
    ].join("\n\n"),
    spoken: t("Joined session {0}, {1}", session, facts.join(", ")),
    context: `joined.${state}`,
    subject: { is: "joined", joined },
    expanded: true,
    children: services.map((service) => joinedServiceRow(joined, service)),
  };
}

function joinedServiceRow(joined: JoinedSession, service: JoinedService): Row {
  const { name, target, by } = service;
  const isLocal = target === "local";
  const place = isLocal ? t("owner's machine") : targetWord(target);
  const words = [place, ...(by === undefined ? [] : [t("by {0}", by)])];
  return {
    id: `joinedService:${joined.workerUrl}:${joined.session}:${name}`,
    label: name,
    description: words.join(" · "),
    icon: { name: PLACE_ICONS[isLocal ? "local" : target === "remote" ? "remote" : "other"], color: GREEN },
    tooltip: `**${escaped(name)}** · ${words.map(escaped).join(" · ")}`,
    spoken: [t("Service {0}, {1}", name, place), ...words.slice(1)].join(", "),
    context: `joinedService.${isLocal ? "local" : "remote"}`,
    subject: { is: "joinedService", joined, service },
    children: [],
  };
}

/** The last folder of the path to a linkup.yaml. */
function folderOf(configPath: string): string {
  return configPath.split(/[\\/]/).at(-2) ?? configPath;
}

function urlRow(session: SessionView, url: string): Row {
  const shown = url.replace(/\/$/, "");
  return {
    id: `url:${session.name}:${url}`,
    label: domainOf(session, url),
    description: shown,
    icon: { name: "globe" },
    tooltip: link(url),
    spoken: t("Session URL {0}", url),
    context: "url",
    subject: { is: "url", url, session },
    children: [],
  };
}

/** `example.com` of `https://slim-gecko.example.com/`. */
function domainOf({ name }: SessionView, url: string): string {
  const host = URL.canParse(url) ? new URL(url).hostname : url;
  return name !== undefined && host.startsWith(`${name}.`) ? host.slice(name.length + 1) : host;
}

/** `ours`: its file is one of this workspace. */
function serviceRow(
  session: SessionView,
  service: ServiceView,
  ours: boolean,
  requests: RequestCounts | undefined,
): Row {
  const { name, latencyMs, overridden } = service;
  const reason = healthReason(service);
  const address = addressOf(service);
  const isLocal = isLocalNow(service);
  // Health is unknown unless the session runs.
  const runs = session.state === "running";
  const changing = runs && service.changing;
  const health = runs && !changing ? service.health : "unknown";
  const trouble = changing ? t("switching…") : health === "unhealthy" ? healthWord(health) : undefined;
  const isPreview = session.kind === "preview";
  const place = overridden && isPreview ? t("overridden") : placeWord(service);
  const traffic = trafficWords(requests?.services[`${session.name}/${name}`]);
  const by = service.routedBy === undefined ? [] : [t("by {0}", service.routedBy)];
  const words = [place, ...by, ...(trouble ? [trouble] : []), hostOf(address), ...traffic];
  const latency = latencyMs === undefined ? "" : `, ${t("{0} ms", Math.round(latencyMs))}`;
  const isFixed = !runs || isPreview;
  return {
    id: `service:${session.configPath ?? ""}:${session.name}:${name}`,
    label: name,
    mark: isLocal ? "local" : isPreview && overridden ? "overridden" : undefined,
    description: words.join(" · "),
    icon: changing ? { name: "loading~spin" } : serviceIcon(service, health, runs),
    tooltip: [
      `**${escaped(name)}** · ${place} · ${healthWord(service.health)}${latency}`,
      ...(service.fallback === undefined
        ? []
        : [fallbackText(service.fallback, code(sessionOfTarget(service.target) ?? ""), t)]),
      ...(service.waitMs === undefined ? [] : [restartingWords(service.waitMs)]),
      ...(reason ? [escaped(reason)] : []),
      `${t("Local:")} ${code(service.local)}  \n${t("Remote:")} ${code(service.remote)}`,
    ].join("\n\n"),
    spoken: [
      t("Service {0}, {1}, {2}, {3}", name, place, address, trouble ?? healthWord(health)),
      ...by,
      ...traffic,
    ].join(", "),
    context: `service.${isLocal ? "local" : "remote"}${isFixed ? ".fixed" : ""}${ours && !isPreview ? ".own" : ""}`,
    subject: { is: "service", session, service },
    children: [],
  };
}

/** Why a service is remote although something listens at its local address now and then. */
function restartingWords(waitMs: number): string {
  return t(
    "Its local copy keeps exiting soon after its start. Requests go to the remote copy until it has been listening for {0} s.",
    waitMs / 1_000,
  );
}

/** Of the last minute; nothing where nothing came. */
function trafficWords(counts: RequestCounts["services"][string] | undefined): string[] {
  if (!counts) return [];
  const errors = counts.errors > 0 ? [t("{0} failed", counts.errors)] : [];
  const lost = counts.lost > 0 ? [t("loses the session")] : [];
  return [t("{0}/min", counts.perMinute), ...errors, ...lost];
}

/** The shapes differ, for those who cannot tell the colors apart. */
function serviceIcon(service: ServiceView, health: Health, runs: boolean): Row["icon"] {
  if (health === "unhealthy") return { name: "error", color: RED };
  if (health === "unknown") return { name: runs ? "question" : "circle-outline" };
  return { name: PLACE_ICONS[placeOf(service)], color: GREEN };
}

/** A linkup.yaml whose session does not run. */
function configRow(config: ConfigFile, model: WindowModel): Row {
  const starting = model.starting.has(config.path);
  const state = starting
    ? stateWord("starting")
    : config.errors > 0
      ? t("linkup.yaml has errors")
      : t("stopped");
  return {
    id: `config:${config.path}`,
    label: config.folder,
    description: state,
    icon: starting ? { name: "loading~spin" } : { name: config.errors > 0 ? "error" : "circle-outline" },
    tooltip: code(config.path),
    spoken: t("Session of {0}, {1}", config.folder, state),
    context: starting ? "config.starting" : config.errors > 0 ? "config.invalid" : "config.stopped",
    subject: { is: "config", config },
    children: [],
  };
}

/** The content of a file in an untrusted workspace. */
function configuredRow(config: ConfigFile, model: WindowModel): Row {
  const children = config.services.map(({ name, remote, local }): Row => {
    const places = [`${targetWord("remote")} ${hostOf(remote)}`, `${targetWord("local")} ${hostOf(local)}`];
    return {
      id: `configured:${config.path}:${name}`,
      label: name,
      description: places.join(" · "),
      icon: { name: "circle-outline" },
      tooltip: `**${escaped(name)}** · ${t("stopped")}\n\n${t("Local:")} ${code(local)}  \n${t("Remote:")} ${code(remote)}`,
      spoken: t("Service {0}, {1}, {2}, {3}", name, t("stopped"), ...places),
      context: "configured",
      subject: { is: "config", config },
      children: [],
    };
  });
  const row = configRow(config, model);
  const context = config.errors > 0 ? row.context : "config.untrusted";
  return { ...row, context, expanded: true, children };
}

/** Opens the editor of workspace trust. */
function trustRow(): Row {
  const label = t("Manage Workspace Trust");
  return {
    id: "trust",
    label,
    description: "",
    icon: { name: "shield" },
    tooltip: label,
    spoken: label,
    context: "trust",
    subject: { is: "trust" },
    children: [],
  };
}

function problemRow(problem: Problem, { configs }: WindowModel): Row {
  const title = t(problem.title);
  const message = withShortPaths(problemMessage(problem), configs);
  return {
    id: `problem:${problem.code}:${problem.message}`,
    label: title,
    description: firstLine(message),
    icon: { name: "warning", color: YELLOW },
    tooltip: `**${title}**\n\n${escapedLines(message)}`,
    spoken: t("Problem: {0}. {1}", title, firstLine(message)),
    context: problem.actions.length > 0 ? "problem.action" : "problem",
    subject: { is: "problem", problem },
    children: [],
  };
}

/** One row for all components, expanded when one needs attention; hidden while nothing runs. */
function componentsRow(components: readonly ComponentView[]): Row[] {
  const shown = components.filter(({ state }) => state !== "stopped");
  if (shown.length === 0) return [];
  const failed = shown.filter(({ state }) => state === "failed");
  const waiting = shown.filter(({ state }) => state === "starting");
  const outdated = shown.filter(({ outdated }) => outdated);
  const description =
    failed.length > 0
      ? t("{0} failed", failed.map(({ id }) => componentName(id)).join(", "))
      : waiting.length > 0
        ? t("starting {0}", waiting.map(({ id }) => componentName(id)).join(", "))
        : outdated.length > 0
          ? t("{0} outdated", outdated.map(({ id }) => componentName(id)).join(", "))
          : t("all ready");
  // A row that the user collapsed stays so until its state changes.
  const look = failed.length > 0 ? ":failed" : outdated.length > 0 ? ":outdated" : "";
  return [
    {
      id: `components${look}`,
      label: t("Components"),
      description,
      icon: failed.length > 0 ? { name: "warning", color: YELLOW } : { name: "server-process" },
      tooltip: t("Processes and connections behind the sessions"),
      spoken: t("Components, {0}", description),
      context: "components",
      subject: { is: "components" },
      expanded: look !== "",
      children: shown.map((component, at) => {
        // Several sessions may have a tunnel or a Worker each.
        const before = shown.slice(0, at).filter(({ id }) => id === component.id).length;
        return componentRow(component, before + 1);
      }),
    },
  ];
}

/** `number`: counts components of the same kind, from 1. */
function componentRow(component: ComponentView, number: number): Row {
  const { id, state, pid, outdated } = component;
  const detail = componentDetail(component);
  const facts = [
    componentState(state),
    ...(outdated ? [t("outdated")] : []),
    ...(pid === undefined ? [] : [t("pid {0}", pid)]),
    // The reason of a failure is shown as a problem.
    ...(detail && state !== "failed" ? [firstLine(detail)] : []),
  ];
  const icons = {
    ready: outdated ? { name: "warning", color: YELLOW } : { name: "pass", color: GREEN },
    starting: { name: "loading~spin" },
    failed: { name: "error", color: RED },
    stopped: { name: "circle-outline" },
  };
  return {
    id: `component:${id}:${number}`,
    label: componentName(id),
    description: facts.join(" · "),
    icon: icons[state],
    tooltip: `**${componentName(id)}** · ${componentState(state)}\n\n${escapedLines(detail)}`,
    spoken: `${componentName(id)}, ${facts.join(", ")}`,
    context: `component.${id}${outdated ? ".outdated" : ""}`,
    subject: { is: "component", component },
    children: [],
  };
}

/** Renders the rows as text, for tests: two spaces per level, `▾` or `▸` where there are children. */
export function rowsText(rows: readonly Row[], level = 0): string {
  return rows
    .map((row) => {
      const twistie = row.children.length === 0 ? "" : row.expanded ? "▾ " : "▸ ";
      const description = row.description ? `  ${row.description}` : "";
      const children = row.children.length > 0 ? `\n${rowsText(row.children, level + 1)}` : "";
      return `${"  ".repeat(level)}${twistie}${row.label}${description}${children}`;
    })
    .join("\n");
}
