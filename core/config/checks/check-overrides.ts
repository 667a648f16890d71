/** Checks the overrides: what they do, where they lead, and whether an earlier one takes all their requests. */
import { type AnalysisBudget, neverMatches, routeCovers } from "../../regex/analysis/route-coverage.ts";
import { text } from "../../text.ts";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import { CONFIG_MESSAGES as MESSAGES } from "../model/config-messages.ts";
import { isUrlTarget, sessionOfTarget } from "../model/target.ts";
import { checkUrl } from "./check-locations.ts";
import { checkPattern } from "./check-patterns.ts";
import { isMap, type MapAt, mapsAt, valueAt } from "./map-at.ts";

/** Each override is compared with this many before it. */
const MAX_COMPARED = 50;
const MAX_LISTED = 20;

/** `withPatterns`: false where the file has too many. */
export function checkOverrides(
  collector: DiagnosticCollector,
  file: unknown,
  overrides: MapAt[],
  withPatterns: boolean,
  budget: AnalysisBudget,
): void {
  const domains = mapsAt(file, ["domains"]).flatMap(({ value: { domain } }) =>
    typeof domain === "string" ? [domain] : [],
  );
  for (const override of overrides) {
    checkAction(collector, file, override);
    const { path, value } = override;
    const { domain } = value;
    if (typeof domain === "string" && domain !== "" && !domains.some((each) => same(each, domain))) {
      const listed = domains.slice(0, MAX_LISTED).join(", ");
      collector.error("unknown-domain", [...path, "domain"], text(MESSAGES.unknownDomain, domain, listed));
    }
    if (!withPatterns || !isMap(value.when)) continue;
    const { path: pattern, header } = value.when;
    const at = [...path, "when", "path"];
    const checked = checkPattern(collector, pattern, at);
    if (checked?.ok && typeof pattern === "string" && neverMatches(pattern, budget))
      collector.warning("shadowed-override", at, text(MESSAGES.neverMatches));
    if (!isMap(header)) continue;
    for (const [name, source] of Object.entries(header))
      checkPattern(collector, source, [...path, "when", "header", name]);
  }
  if (withPatterns) checkShadowed(collector, overrides, budget);
}

function checkAction(collector: DiagnosticCollector, file: unknown, { path, value }: MapAt): void {
  const { target, respond, fault, fallthrough } = value;
  const actions = [target, respond, fault].filter((each) => each !== undefined && each !== null);
  if (actions.length !== 1) collector.error("invalid-override", path, text(MESSAGES.overrideDoes));
  checkTarget(collector, file, { path, value });
  if (fallthrough === true && target !== "local")
    collector.error("invalid-override", [...path, "fallthrough"], text(MESSAGES.overrideFallthrough));
  if (!isMap(respond)) return;
  const at = [...path, "respond", "file"];
  if (typeof respond.file === "string" && typeof respond.body === "string")
    collector.error("invalid-override", at, text(MESSAGES.overrideBody));
  if (typeof respond.file === "string" && !isFileBeside(respond.file))
    collector.error("invalid-override", at, text(MESSAGES.overrideFile));
}

/** `local`, `remote`, a URL, or a name that its service, or each service, gives to a further copy. */
function checkTarget(collector: DiagnosticCollector, file: unknown, { path, value }: MapAt): void {
  const { target, service } = value;
  if (typeof target !== "string" || target === "" || target === "local" || target === "remote") return;
  const at = [...path, "target"];
  if (isUrlTarget(target)) {
    checkUrl(collector, file, at);
    return;
  }
  // These are resolved for whole services: by the watcher of their local addresses, and by the Worker.
  if (target === "auto" || sessionOfTarget(target) !== undefined) {
    collector.error("invalid-override", at, text(MESSAGES.overrideFollows, target));
    return;
  }
  const named = mapsAt(file, ["services"])
    .filter(({ value }) => typeof service !== "string" || value.name === service)
    .map(({ value }) => (isMap(value.targets) ? Object.keys(value.targets) : []));
  if (named.length > 0 && named.every((names) => names.includes(target))) return;
  const known = ["local", "remote", ...new Set(named.flat())].slice(0, MAX_LISTED);
  collector.error("invalid-override", at, text(MESSAGES.unknownTarget, target, known.join(", ")));
}

/** Relative, not above the folder, and neither hidden nor in a hidden folder, where secrets and repositories are. */
export function isFileBeside(file: string): boolean {
  if (/^(?:[/\\]|[A-Za-z]:)/.test(file) || file.includes("\0")) return false;
  const steps = file.split(/[/\\]/).filter((step) => step !== "" && step !== ".");
  return steps.length > 0 && steps.every((step) => !step.startsWith("."));
}

/** An override that comes after another with no condition that it lacks. */
function checkShadowed(collector: DiagnosticCollector, overrides: MapAt[], budget: AnalysisBudget): void {
  for (const [i, { path, value }] of overrides.entries()) {
    const earlier = overrides
      .slice(Math.max(0, i - MAX_COMPARED), i)
      .find((earlier) => covers(earlier.value, value, budget));
    if (!earlier) continue;
    // A hint only: two of which one is on at a time are common.
    collector.hint(
      "shadowed-override",
      [...path, "name"],
      text(MESSAGES.shadowedOverride, String(earlier.value.name)),
      {
        related: {
          text: text(MESSAGES.earlierOverride),
          range: collector.positions.value([...earlier.path, "name"]),
        },
      },
    );
  }
}

/** True when each request of the later override is one of the earlier. Undecided is false. */
function covers(
  earlier: Record<string, unknown>,
  later: Record<string, unknown>,
  budget: AnalysisBudget,
): boolean {
  const only = (key: string) =>
    earlier[key] === undefined || earlier[key] === null || earlier[key] === later[key];
  if (!only("service") || !only("domain")) return false;
  const header = valueAt(earlier, ["when", "header"]);
  if (isMap(header) && Object.keys(header).length > 0) return false;
  const methods = methodsOf(earlier);
  const laterMethods = methodsOf(later);
  if (methods && !laterMethods?.every((method) => methods.includes(method))) return false;
  const path = valueAt(earlier, ["when", "path"]) ?? "";
  const laterPath = valueAt(later, ["when", "path"]) ?? "";
  if (path === "") return true;
  return typeof path === "string" && typeof laterPath === "string" && routeCovers(path, laterPath, budget);
}

function methodsOf(override: Record<string, unknown>): string[] | undefined {
  const method = valueAt(override, ["when", "method"]);
  return typeof method === "string" ? method.toUpperCase().split(/ *, */) : undefined;
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
