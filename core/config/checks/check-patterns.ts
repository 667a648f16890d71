/** Checks the regular expressions of routes, rewrites and cache_routes. */
import { patternWarnings } from "../../regex/analysis/backtracking-hazards.ts";
import { type AnalysisBudget, neverMatches, routeCovers } from "../../regex/analysis/route-coverage.ts";
import { compile, type PatternDiagnostic, type PatternWarning } from "../../regex/pattern.ts";
import { checkReplacement } from "../../regex/replacement.ts";
import { MAX_PATTERN_TEXT, MAX_PATTERNS, patternTotals } from "../../session/session-limits.ts";
import { text } from "../../text.ts";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import { CONFIG_MESSAGES as MESSAGES } from "../model/config-messages.ts";
import type { Path } from "../yaml/yaml-node.ts";
import { isMap, listAt, type MapAt, mapsAt } from "./map-at.ts";

/** Each route is compared with this many before it. */
const MAX_COMPARED = 50;

type CheckedPattern =
  | { ok: true; warnings: readonly PatternWarning[]; groups: readonly (string | null)[] }
  | { ok: false; errors: readonly PatternDiagnostic[] };

/** Large files have more patterns than the engine caches. */
const checked = new Map<string, CheckedPattern>();
const MAX_CHECKED = 10_000;

function check(source: string): CheckedPattern {
  let result = checked.get(source);
  if (!result) {
    if (checked.size >= MAX_CHECKED) checked.clear();
    const compiled = compile(source);
    result = compiled.ok
      ? { ok: true, warnings: patternWarnings(compiled.pattern), groups: compiled.pattern.groups }
      : compiled;
    checked.set(source, result);
  }
  return result;
}

/** False when the file has more patterns than a session may have; they are then not checked one by one. */
export function checkPatternCount(collector: DiagnosticCollector, value: unknown): boolean {
  const sources = [
    ...mapsAt(value, ["services"]).flatMap((service) =>
      mapsAt(service.value, ["rewrites"]).map((rewrite) => rewrite.value.source),
    ),
    ...mapsAt(value, ["domains"]).flatMap((domain) =>
      mapsAt(domain.value, ["routes"]).map((route) => route.value.path),
    ),
    ...mapsAt(value, ["overrides"]).flatMap(({ value: { when } }) =>
      isMap(when) ? [when.path, ...(isMap(when.header) ? Object.values(when.header) : [])] : [],
    ),
    ...listAt(value, ["linkup", "cache_routes"]),
    ...listAt(value, ["linkup", "access", "open"]),
  ].filter((source) => typeof source === "string");
  const { count, length } = patternTotals(sources);
  if (count > MAX_PATTERNS)
    collector.error("too-many-patterns", [], text(MESSAGES.tooManyPatterns, count, MAX_PATTERNS));
  else if (length > MAX_PATTERN_TEXT)
    collector.error("too-many-patterns", [], text(MESSAGES.patternsTooLong, length, MAX_PATTERN_TEXT));
  else return true;
  return false;
}

export function checkPattern(
  collector: DiagnosticCollector,
  source: unknown,
  path: Path,
): CheckedPattern | undefined {
  if (typeof source !== "string") return undefined;
  const result = check(source);
  const range = (part: PatternDiagnostic) => ({ range: collector.positions.part(path, part) });
  if (result.ok) {
    for (const warning of result.warnings)
      collector.warning(`pattern-${warning.kind}`, path, warning.text, range(warning));
  } else {
    for (const error of result.errors)
      collector.error("invalid-pattern", path, text(MESSAGES.invalidPattern, error.text), range(error));
  }
  return result;
}

export function checkRewrite(
  collector: DiagnosticCollector,
  { path, value: { source, target } }: MapAt,
): void {
  const pattern = checkPattern(collector, source, [...path, "source"]);
  if (!pattern?.ok || typeof target !== "string") return;
  const at = [...path, "target"];
  for (const found of checkReplacement(target, pattern.groups))
    collector.warning("unknown-group", at, found.text, {
      range: collector.positions.part(at, found),
      related: {
        text: text(MESSAGES.groupsPlace),
        range: collector.positions.value([...path, "source"]),
      },
    });
}

/** Routes of one domain that can never match: no path contains the pattern, or an earlier route matches them all. */
export function checkReachable(
  collector: DiagnosticCollector,
  routes: MapAt[],
  budget: AnalysisBudget,
): void {
  for (const [i, { path, value }] of routes.entries()) {
    const pattern = value.path;
    if (typeof pattern !== "string") continue;
    const at = [...path, "path"];
    if (neverMatches(pattern, budget)) {
      collector.warning("unreachable-route", at, text(MESSAGES.neverMatches));
      continue;
    }
    const earlier = routes
      .slice(Math.max(0, i - MAX_COMPARED), i)
      .find(({ value }) => typeof value.path === "string" && routeCovers(value.path, pattern, budget));
    if (earlier)
      collector.warning("unreachable-route", at, text(MESSAGES.shadowedRoute, String(earlier.value.path)), {
        related: {
          text: text(MESSAGES.earlierRoute),
          range: collector.positions.value([...earlier.path, "path"]),
        },
      });
  }
}
