/** Checks the regular expressions of routes, rewrites and cache_routes. */
import { neverMatches, routeCovers } from "../../regex/analysis/route-coverage.ts";
import { compile, type PatternDiagnostic, type PatternWarning } from "../../regex/pattern.ts";
import { checkReplacement } from "../../regex/replacement.ts";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import type { Path } from "../yaml/positions.ts";
import type { MapAt } from "./map-at.ts";

/** Each route is compared with this many before it. */
const MAX_COMPARED = 50;

type Findings =
  | { ok: true; notes: readonly PatternWarning[]; groups: readonly (string | null)[] }
  | { ok: false; problems: readonly PatternDiagnostic[] };

/** Large files have more patterns than the engine keeps compiled. */
const known = new Map<string, Findings>();
const MAX_KNOWN = 10_000;

function findings(source: string): Findings {
  let found = known.get(source);
  if (!found) {
    if (known.size >= MAX_KNOWN) known.clear();
    const compiled = compile(source);
    found = compiled.ok
      ? { ok: true, notes: compiled.pattern.notes, groups: compiled.pattern.groups }
      : compiled;
    known.set(source, found);
  }
  return found;
}

export function checkPattern(
  problems: DiagnosticCollector,
  source: unknown,
  path: Path,
): Findings | undefined {
  if (typeof source !== "string") return undefined;
  const found = findings(source);
  if (found.ok) {
    for (const note of found.notes)
      problems.warning(`pattern-${note.kind}`, path, note.message, {
        range: problems.positions.part(path, note),
      });
  } else {
    for (const problem of found.problems)
      problems.error("invalid-pattern", path, `Invalid regular expression: ${problem.message}`, {
        range: problems.positions.part(path, problem),
      });
  }
  return found;
}

export function checkRewrite(
  problems: DiagnosticCollector,
  { path, value: { source, target } }: MapAt,
): void {
  const found = checkPattern(problems, source, [...path, "source"]);
  if (!found?.ok || typeof target !== "string") return;
  const at = [...path, "target"];
  for (const problem of checkReplacement(target, found.groups))
    problems.warning("unknown-group", at, problem.message, {
      range: problems.positions.part(at, problem),
      related: {
        message: "The pattern with the groups.",
        range: problems.positions.value([...path, "source"]),
      },
    });
}

/** Routes of one domain that can never match: no path has the pattern, or an earlier route takes them all. */
export function checkReachable(problems: DiagnosticCollector, routes: MapAt[]): void {
  for (const [i, { path, value }] of routes.entries()) {
    const pattern = value.path;
    if (typeof pattern !== "string") continue;
    const at = [...path, "path"];
    if (neverMatches(pattern)) {
      problems.warning("unreachable-route", at, 'No path matches: a path starts with "/" and has no query.');
      continue;
    }
    const earlier = routes
      .slice(Math.max(0, i - MAX_COMPARED), i)
      .find(({ value }) => typeof value.path === "string" && routeCovers(value.path, pattern));
    if (earlier)
      problems.warning(
        "unreachable-route",
        at,
        `This route never matches: the route ${earlier.value.path} before it takes all its paths.`,
        {
          related: {
            message: "This route comes first.",
            range: problems.positions.value([...earlier.path, "path"]),
          },
        },
      );
  }
}
