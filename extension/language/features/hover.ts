/** Hovers: documentation of keys, the state of services, example matches of patterns. */

import type { Path } from "../../../core/config/yaml/yaml-node.ts";
import { examplePaths } from "../../../core/regex/analysis/example-paths.ts";
import { compile, replaceAll } from "../../../core/regex/pattern.ts";
import { placeOf } from "../../../manager/model/snapshot.ts";
import { healthReason, healthWord, placeWord } from "../../labels.ts";
import { code, escaped } from "../../markdown.ts";
import { t } from "../../words.ts";
import type { DocumentModel, Span } from "../document/document-model.ts";
import { type EditorFacts, localPort } from "../document/editor-facts.ts";
import { nodeAt } from "../document/node-at.ts";
import type { DomainItem, RouteItem, ServiceItem } from "../document/outline.ts";
import { keyText } from "./key-text.ts";

export interface Hover extends Span {
  markdown: string;
}

export function hover(model: DocumentModel, facts: EditorFacts, offset: number): Hover | undefined {
  const spot = nodeAt(model.tree, offset);
  if (!spot) return undefined;
  const { start, end } = spot.node;
  const markdown = spot.isKey ? keyText(spot.path) : valueText(model, facts, spot.path);
  return markdown ? { start, end, markdown } : undefined;
}

function valueText(model: DocumentModel, facts: EditorFacts, path: Path): string {
  const node = model.tree.resolved(model.tree.node(path));
  if (node?.kind !== "scalar" || typeof node.value !== "string") return "";
  const [section, index] = path;
  const key = path.at(-1);
  if ((section === "services" && key === "name") || key === "default_service" || key === "service")
    return serviceText(model, facts, node.value);
  if (section === "overrides" && key === "name") return overrideText(facts, node.value);
  if (key === "local") return portText(facts, node.value);
  if (section === "domains" && key === "path") return routeText(model, path);
  if (section === "services" && key === "source") {
    const service = model.outline.services.find(({ path }) => path[1] === index);
    const rewrite = service?.rewrites.find(({ source }) => source.node === node);
    return rewrite ? rewriteText(rewrite.source.text, rewrite.target) : "";
  }
  return key === undefined ? "" : keyText(path);
}

function serviceText(model: DocumentModel, facts: EditorFacts, name: string): string {
  const service = model.outline.services.find((service) => service.name.text === name);
  if (!service) return "";
  const view = facts.session?.services.find((view) => view.name === name);
  const lines = [`**${escaped(name)}**`];
  if (view) {
    const latency = view.latencyMs === undefined ? "" : `, ${Math.round(view.latencyMs)} ms`;
    const place = placeOf(view);
    const at = place === "local" ? service.local?.text : place === "remote" ? service.remote?.text : view.url;
    const state = `${healthWord(view.health)}${latency}`;
    lines.push(t("Now {0}: {1} ({2})", placeWord(view), code(at ?? ""), state));
    const reason = view.health === "unhealthy" ? healthReason(view) : undefined;
    if (reason) lines.push(escaped(reason));
  }
  lines.push(
    `- ${t("remote")}: ${code(service.remote?.text ?? "")}\n- ${t("local")}: ${code(service.local?.text ?? "")}`,
  );
  lines.push(usesText(model, service));
  return lines.join("\n\n");
}

/** Whether it is on in the session, and what it does. */
function overrideText({ session }: EditorFacts, name: string): string {
  const about = keyText(["overrides", 0, "name"]);
  const view = session?.overrides?.find((view) => view.name === name);
  if (!view) return about;
  const facts = [view.service, view.when, `→ ${view.does}`].filter(Boolean).join(" · ");
  return [`**${escaped(name)}** · ${view.on ? t("on") : t("off")}`, code(facts), about].join("\n\n");
}

function usesText({ outline }: DocumentModel, { name }: ServiceItem): string {
  const uses = outline.domains.flatMap(({ domain, defaultService, routes }) => [
    ...routes
      .filter(({ service }) => service?.text === name.text)
      .map(({ pattern }) => `${code(domain.text)} ${code(pattern.text)}`),
    ...(defaultService?.text === name.text ? [`${code(domain.text)} (${t("default")})`] : []),
  ]);
  if (uses.length === 0) return t("No domain and no route uses it.");
  const more = uses.length > 8 ? ` ${t("and {0} more", uses.length - 8)}` : "";
  return `${t("Serves:")} ${uses.slice(0, 8).join(" · ")}${more}`;
}

function portText({ listening }: EditorFacts, location: string): string {
  const port = localPort(location);
  if (port === undefined || !listening) return keyText(["services", 0, "local"]);
  const now = listening.has(port)
    ? t("A program is listening on port {0}.", String(port))
    : t("Nothing is listening on port {0}.", String(port));
  return `${keyText(["services", 0, "local"])}\n\n${now}`;
}

/** Paths that the route's pattern matches, and which service each of them really goes to. */
function routeText({ outline }: DocumentModel, path: Path): string {
  const domain = outline.domains.find((domain) => domain.path[1] === path[1]);
  const route = domain?.routes.find((route) => route.path.at(-1) === path.at(-2));
  if (!domain || !route) return "";
  const rows = examplePaths(route.pattern.text).map((example) => {
    const winner = winnerOf(domain, example);
    const service = winner?.service ?? domain.defaultService;
    const arrow = `- ${code(example)} → **${escaped(service?.text ?? "?")}**`;
    return winner === route
      ? arrow
      : `${arrow} (${winner ? t("the route {0} is first", code(winner.pattern.text)) : t("default")})`;
  });
  const intro =
    rows.length > 0
      ? t("Matching paths, and the service that serves each:")
      : t("No example of a matching path was found.");
  return [intro, ...(rows.length > 0 ? [rows.join("\n")] : []), keyText(path)].join("\n\n");
}

/** The first route that matches. */
function winnerOf(domain: DomainItem, path: string): RouteItem | undefined {
  return domain.routes.find(({ pattern }) => {
    const compiled = compile(pattern.text);
    return compiled.ok && compiled.pattern.test(path) === "match";
  });
}

function rewriteText(source: string, target: string): string {
  const compiled = compile(source);
  if (!compiled.ok) return "";
  const rows = examplePaths(source).map(
    (example) => `- ${code(example)} → ${code(replaceAll(compiled.pattern, example, target).text)}`,
  );
  const about = keyText(["services", 0, "rewrites", 0, "source"]);
  return rows.length > 0 ? `${t("For example:")}\n\n${rows.join("\n")}\n\n${about}` : about;
}
