/** Checks what the schema cannot: names that must exist or be unique, host names, locations, patterns. */
import { AnalysisBudget } from "../../regex/analysis/route-coverage.ts";
import { type Text, text } from "../../text.ts";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import { CONFIG_MESSAGES as MESSAGES } from "../model/config-messages.ts";
import { ENV_REFERENCE, isReadable } from "../model/env-reference.ts";
import type { Path } from "../yaml/yaml-node.ts";
import { checkHostName, checkSessionDomains } from "./check-domains.ts";
import { checkLocations, checkPorts, checkUrl } from "./check-locations.ts";
import { checkOverrides } from "./check-overrides.ts";
import { checkPattern, checkPatternCount, checkReachable, checkRewrite } from "./check-patterns.ts";
import { checkTargets } from "./check-targets.ts";
import { listAt, type MapAt, mapsAt } from "./map-at.ts";
import { nearestWord } from "./nearest-word.ts";

/** Accepts any value, so that a file with a wrong shape in one place is still checked everywhere else. */
export function checkMeaning(collector: DiagnosticCollector, value: unknown): void {
  const services = mapsAt(value, ["services"]);
  const domains = mapsAt(value, ["domains"]);

  checkUnique(collector, services, "name", "duplicate-service", MESSAGES.duplicateService);
  checkUnique(collector, domains, "domain", "duplicate-domain", MESSAGES.duplicateDomain);

  const withinLimits = checkPatternCount(collector, value);
  for (const service of services)
    once(collector, "services", service, () => {
      checkLocations(collector, value, service);
      checkTargets(collector, service);
      if (withinLimits)
        for (const rewrite of mapsAt(service.value, ["rewrites"], service.path))
          checkRewrite(collector, rewrite);
    });
  checkPorts(collector, services);

  const checkService = serviceChecker(collector, services);
  const budget = new AnalysisBudget();
  for (const domain of domains) {
    const routes = mapsAt(domain.value, ["routes"], domain.path);
    once(collector, "domains", domain, () => {
      checkHostName(collector, domain);
      if (!withinLimits) return;
      for (const route of routes) checkPattern(collector, route.value.path, [...route.path, "path"]);
      checkReachable(collector, routes, budget);
    });
    checkService(domain, "default_service");
    for (const route of routes) checkService(route, "service");
  }
  checkSessionDomains(collector, domains);
  const overrides = mapsAt(value, ["overrides"]);
  checkUnique(collector, overrides, "name", "duplicate-override", MESSAGES.duplicateOverride);
  for (const override of overrides) checkService(override, "service");
  checkOverrides(collector, value, overrides, withinLimits, budget);
  checkUrl(collector, value, ["linkup", "worker_url"]);
  checkToken(collector, value);

  if (!withinLimits) return;
  for (const path of [
    ["linkup", "cache_routes"],
    ["linkup", "access", "open"],
  ])
    for (const [i, pattern] of listAt(value, path).entries()) checkPattern(collector, pattern, [...path, i]);
}

/** A variable's name that the repository may not read: it is not expanded. */
function checkToken(collector: DiagnosticCollector, value: unknown): void {
  const token = (value as { linkup?: { worker_token?: unknown } | null } | null)?.linkup?.worker_token;
  if (typeof token !== "string") return;
  const forbidden = Array.from(token.matchAll(ENV_REFERENCE), ([, name]) => name!).filter(
    (name) => !isReadable(name),
  );
  if (forbidden.length === 0) return;
  const suggestion = "${env:LINKUP_WORKER_TOKEN}";
  const message = text(MESSAGES.tokenVariable, forbidden.slice(0, 3).join(", "), suggestion);
  collector.warning("token-variable", ["linkup", "worker_token"], message, { suggestion });
}

/** Objects already validated, per check: a text that does not change keeps its objects. */
const validated = { services: new WeakSet<object>(), domains: new WeakSet<object>() };

/** Runs a check that depends on this item only, unless the item has passed it before. */
function once(
  collector: DiagnosticCollector,
  list: keyof typeof validated,
  { value }: MapAt,
  check: () => void,
): void {
  if (validated[list].has(value)) return;
  const before = collector.count;
  check();
  if (collector.count === before) validated[list].add(value);
}

function checkUnique(
  collector: DiagnosticCollector,
  items: MapAt[],
  key: string,
  code: "duplicate-service" | "duplicate-domain" | "duplicate-override",
  template: string,
): void {
  const seen = new Map<string, Path>();
  for (const { path, value } of items) {
    const name = value[key];
    if (typeof name !== "string" || name === "") continue;
    const first = seen.get(name);
    if (!first) seen.set(name, [...path, key]);
    else if (collector.isFull) collector.error(code, [...path, key], text(template, name));
    else
      collector.error(code, [...path, key], text(template, name), {
        related: { text: text(MESSAGES.firstPlace), range: collector.positions.value(first) },
      });
  }
}

/** Most unknown services for which a similar name is looked up, and most names that a message lists. */
const MAX_SUGGESTIONS = 10;
const MAX_LISTED = 20;

/** A check that the value of a key is the name of a service. */
function serviceChecker(
  collector: DiagnosticCollector,
  services: MapAt[],
): (map: MapAt, key: string) => void {
  const names = new Set(services.map(({ value }) => value.name).filter((name) => typeof name === "string"));
  const listed = [...names].slice(0, MAX_LISTED).join(", ") + (names.size > MAX_LISTED ? ", …" : "");
  let unknown = 0;
  return ({ path, value }, key) => {
    const name = value[key];
    if (typeof name !== "string" || name === "" || names.has(name)) return;
    const similar = unknown++ < MAX_SUGGESTIONS ? nearestWord(name, names) : undefined;
    const message: Text =
      similar !== undefined
        ? text(MESSAGES.unknownServiceLike, name, similar)
        : names.size > 0
          ? text(MESSAGES.unknownService, name, listed)
          : text(MESSAGES.noServices, name);
    collector.error("unknown-service", [...path, key], message, { suggestion: similar });
  };
}
