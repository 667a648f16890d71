/** Sessions, components and problems as text. */
import { fallbackText } from "../../agent-tools/fallback-text.ts";
import { sessionOfTarget } from "../../core/config/model/target.ts";
import { english } from "../../core/text.ts";
import {
  addressOf,
  type ComponentView,
  type ServiceView,
  type SessionView,
  type Snapshot,
} from "../../manager/model/snapshot.ts";
import { coloured } from "./output.ts";
import { table } from "./table.ts";

export function statusText({ sessions, components, problems }: Snapshot): string {
  const parts =
    sessions.length > 0 ? sessions.map(sessionText) : ["No session is running. `linkup start` starts one.\n"];
  if (sessions.length > 0)
    parts.push(
      table(["COMPONENT", "STATE", "PID", "DETAIL"], components.map(componentRow)) +
        missingCapabilities(components),
    );
  for (const { title, message, actions } of problems) {
    const hints = actions.flatMap(({ title, terminal }) => (terminal ? [`  ${title}: ${terminal}\n`] : []));
    parts.push(`${coloured("red", title)}: ${message}\n${hints.join("")}`);
  }
  return parts.join("\n");
}

export function sessionText(session: SessionView): string {
  const { name, kind, access, state, urls, urlsWithoutCertificate = [], services, configPath } = session;
  const who = access === "private" ? ", private" : "";
  const heading = `${coloured("bold", name ?? "(no name yet)")}  ${kind}${who}, ${stateText(state)}`;
  const where = configPath ? coloured("dim", `  ${configPath}\n`) : "";
  return [
    `${heading}\n${where}`,
    ...urls.map((url) => `  ${coloured("cyan", url)}\n`),
    ...urlsWithoutCertificate.map((url) =>
      coloured("dim", `  ${url} has no certificate at Cloudflare (linkup health)\n`),
    ),
    table(["SERVICE", "TARGET", "HEALTH", "ADDRESS"], services.map(serviceRow), "  "),
    ...overrideLines(session.overrides),
  ].join("");
}

/** Those that are on: a forgotten one is a surprise. */
function overrideLines(overrides: SessionView["overrides"] = []): string[] {
  const on = overrides.filter(({ on }) => on).map(({ name }) => name);
  return on.length === 0 ? [] : [`  ${coloured("yellow", "overridden by")} ${on.join(", ")}\n`];
}

function serviceRow(service: ServiceView): string[] {
  const { name, target, now, changing, health, latencyMs, routedBy } = service;
  const colour = health === "healthy" ? "green" : health === "unhealthy" ? "red" : "dim";
  const latency = health === "healthy" && latencyMs !== undefined ? ` ${latencyMs} ms` : "";
  const address = addressOf(service);
  const where =
    now === undefined ? target : `${target}: ${now === "restarting" ? "remote, restarting…" : now}`;
  return [
    name,
    `${changing ? `${target}…` : where}${routedBy === undefined ? "" : ` by ${routedBy}`}`,
    coloured(colour, health) + latency,
    [address, ...whyNot(service)].join("  "),
  ];
}

/** Why it is not where its target says, or not healthy. */
function whyNot({ target, waitMs, fallback, reason }: ServiceView): string[] {
  if (waitMs !== undefined)
    return [`(its local copy keeps exiting: until it has been listening for ${waitMs / 1_000} s)`];
  if (fallback !== undefined)
    return [`(${fallback}: ${fallbackText(fallback, sessionOfTarget(target) ?? "", english)})`];
  return reason ? [`(${reason})`] : [];
}

function componentRow({ id, state, pid, detail }: ComponentView): string[] {
  const colour = state === "ready" ? "green" : state === "failed" ? "red" : "dim";
  return [id, coloured(colour, state), pid === undefined ? "" : String(pid), detail.split("\n", 1)[0]!];
}

/** The further lines of a Worker's detail, which name what it cannot do. */
function missingCapabilities(components: readonly ComponentView[]): string {
  return components
    .filter(({ id, state, detail }) => id === "worker" && state === "ready" && detail.includes("\n"))
    .map(({ detail }) => `\nThe Worker at ${detail}\n`)
    .join("");
}

function stateText(state: SessionView["state"]): string {
  return coloured(state === "running" ? "green" : state === "failed" ? "red" : "yellow", state);
}
