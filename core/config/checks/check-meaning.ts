/** Checks what the schema cannot: names that must exist or be unique, host names, locations, patterns. */

import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import type { Path } from "../yaml/positions.ts";
import { checkHostName, checkSessionDomains } from "./check-domains.ts";
import { checkLocations, checkPorts } from "./check-locations.ts";
import { checkPattern, checkReachable, checkRewrite } from "./check-patterns.ts";
import { listAt, type MapAt, mapsAt } from "./map-at.ts";
import { nearest } from "./nearest-word.ts";

/** Takes any value, so that a file with a wrong shape in one place is still checked in all others. */
export function checkMeaning(problems: DiagnosticCollector, value: unknown): void {
  const services = mapsAt(value, ["services"]);
  const domains = mapsAt(value, ["domains"]);

  unique(problems, services, "name", "duplicate-service", (name) => `The service "${name}" exists twice.`);
  unique(problems, domains, "domain", "duplicate-domain", (name) => `The domain "${name}" exists twice.`);

  for (const service of services)
    once(problems, "services", service, () => {
      checkLocations(problems, service);
      for (const rewrite of mapsAt(service.value, ["rewrites"], service.path))
        checkRewrite(problems, rewrite);
    });
  checkPorts(problems, services);

  const names = new Set(services.map(({ value }) => value.name).filter((name) => typeof name === "string"));
  for (const domain of domains) {
    const routes = mapsAt(domain.value, ["routes"], domain.path);
    once(problems, "domains", domain, () => {
      checkHostName(problems, domain);
      for (const route of routes) checkPattern(problems, route.value.path, [...route.path, "path"]);
      checkReachable(problems, routes);
    });
    checkService(problems, names, domain, "default_service");
    for (const route of routes) checkService(problems, names, route, "service");
  }
  checkSessionDomains(problems, domains);

  for (const [i, pattern] of listAt(value, ["linkup", "cache_routes"]).entries())
    checkPattern(problems, pattern, ["linkup", "cache_routes", i]);
}

/** Items in which nothing was found, as what: a text that is not changed keeps its objects. */
const right = { services: new WeakSet<object>(), domains: new WeakSet<object>() };

/** Runs a check that looks at this item alone, unless it has found nothing in it before. */
function once(
  problems: DiagnosticCollector,
  list: keyof typeof right,
  { value }: MapAt,
  check: () => void,
): void {
  if (right[list].has(value)) return;
  const before = problems.count;
  check();
  if (problems.count === before) right[list].add(value);
}

function unique(
  problems: DiagnosticCollector,
  items: MapAt[],
  key: string,
  code: "duplicate-service" | "duplicate-domain",
  message: (name: string) => string,
): void {
  const seen = new Map<string, Path>();
  for (const { path, value } of items) {
    const name = value[key];
    if (typeof name !== "string" || name === "") continue;
    const first = seen.get(name);
    if (!first) seen.set(name, [...path, key]);
    else
      problems.error(code, [...path, key], message(name), {
        related: { message: "It is first here.", range: problems.positions.value(first) },
      });
  }
}

function checkService(
  problems: DiagnosticCollector,
  names: Set<string>,
  { path, value }: MapAt,
  key: string,
): void {
  const name = value[key];
  if (typeof name !== "string" || name === "" || names.has(name)) return;
  const likely = nearest(name, names);
  const all = [...names];
  const listed = all.slice(0, 20).join(", ") + (all.length > 20 ? ", …" : "");
  const advice = likely
    ? `Did you mean "${likely}"?`
    : all.length > 0
      ? `The services are: ${listed}.`
      : "There are no services.";
  problems.error(
    "unknown-service",
    [...path, key],
    `There is no service "${name}". ${advice}`,
    likely ? { suggestion: likely } : {},
  );
}
