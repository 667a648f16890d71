/** Checks what the schema cannot: names that must exist or be unique, patterns, host names. */
import { hostname } from "../hosts.ts";
import { compile, replacementProblems } from "../pattern/pattern.ts";
import { httpOrigin } from "../session.ts";
import { nearest } from "./nearest.ts";
import type { Path } from "./positions.ts";
import type { Problems } from "./problem.ts";

/** Takes any value, so that a file with a wrong shape in one place is still checked in all others. */
export function checkMeaning(problems: Problems, value: unknown): void {
  const services = maps(value, ["services"]);
  const domains = maps(value, ["domains"]);

  unique(problems, services, "name", "duplicate-service", (name) => `The service "${name}" exists twice.`);
  unique(problems, domains, "domain", "duplicate-domain", (name) => `The domain "${name}" exists twice.`);

  for (const service of services) {
    checkLocations(problems, service);
    for (const rewrite of maps(service.value, ["rewrites"], service.path)) checkRewrite(problems, rewrite);
  }

  const names = [
    ...new Set(services.map(({ value }) => value.name).filter((name) => typeof name === "string")),
  ];
  for (const domain of domains) {
    checkDomain(problems, domain);
    checkService(problems, names, domain, "default_service");
    for (const route of maps(domain.value, ["routes"], domain.path)) {
      checkPattern(problems, route, "path");
      checkService(problems, names, route, "service");
    }
  }

  const cacheRoutes = listAt(value, ["linkup", "cache_routes"]);
  for (const [i, pattern] of cacheRoutes.entries())
    checkPatternText(problems, pattern, ["linkup", "cache_routes", i]);
}

/** A map somewhere in the document. */
interface At {
  path: Path;
  value: Record<string, unknown>;
}

function listAt(value: unknown, path: Path): unknown[] {
  for (const key of path) value = (value as Record<string | number, unknown> | null | undefined)?.[key];
  return Array.isArray(value) ? value : [];
}

function maps(value: unknown, path: Path, parent: Path = []): At[] {
  return listAt(value, path).flatMap((item, i) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? [{ path: [...parent, ...path, i], value: item }]
      : [],
  ) as At[];
}

function unique(
  problems: Problems,
  items: At[],
  key: string,
  code: "duplicate-service" | "duplicate-domain",
  message: (name: string) => string,
): void {
  const seen = new Map<string, Path>();
  for (const { path, value } of items) {
    const name = value[key];
    if (typeof name !== "string") continue;
    const first = seen.get(name);
    if (!first) seen.set(name, [...path, key]);
    else
      problems.error(code, [...path, key], message(name), {
        related: { message: "It is first here.", range: problems.positions.value(first) },
      });
  }
}

function checkLocations(problems: Problems, { path, value: { remote, local } }: At): void {
  for (const [key, location] of [
    ["remote", remote],
    ["local", local],
  ] as const) {
    if (typeof location !== "string" || !httpOrigin(location)) continue;
    if (!URL.canParse(location))
      problems.error("wrong-value", [...path, key], `"${location}" is not a valid URL.`);
  }
  if (typeof remote !== "string" || typeof local !== "string") return;
  const origin = httpOrigin(local);
  if (origin !== undefined && origin === httpOrigin(remote))
    problems.warning(
      "same-location",
      [...path, "local"],
      "local and remote are the same: toggling this service changes nothing.",
      {
        related: { message: "The remote location.", range: problems.positions.value([...path, "remote"]) },
      },
    );
}

function checkRewrite(problems: Problems, rewrite: At): void {
  const compiled = checkPattern(problems, rewrite, "source");
  const target = rewrite.value.target;
  if (!compiled?.ok || typeof target !== "string") return;
  const path = [...rewrite.path, "target"];
  for (const problem of replacementProblems(compiled.pattern, target))
    problems.warning("unknown-group", path, problem.message, {
      range: problems.positions.part(path, problem),
    });
}

function checkPattern(problems: Problems, at: At, key: string) {
  return checkPatternText(problems, at.value[key], [...at.path, key]);
}

function checkPatternText(problems: Problems, source: unknown, path: Path) {
  if (typeof source !== "string") return undefined;
  const compiled = compile(source);
  if (compiled.ok) {
    for (const note of compiled.pattern.notes)
      problems.warning(`pattern-${note.kind}`, path, note.message, {
        range: problems.positions.part(path, note),
      });
  } else {
    for (const problem of compiled.problems)
      problems.error("invalid-pattern", path, `Invalid regular expression: ${problem.message}`, {
        range: problems.positions.part(path, problem),
      });
  }
  return compiled;
}

function checkDomain(problems: Problems, { path, value: { domain } }: At): void {
  if (typeof domain !== "string" || domain === "") return;
  const host = hostname(domain.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*$/s, ""));
  const isHost = host.split(".").every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  if (isHost && domain.toLowerCase() === host) return;
  const advice = isHost ? `Did you mean "${host}"?` : "It is a host name such as example.com.";
  problems.error(
    "invalid-domain",
    [...path, "domain"],
    `"${domain}" is not a host name without scheme, port and path. ${advice}`,
    isHost ? { suggestion: host } : {},
  );
}

function checkService(problems: Problems, names: string[], { path, value }: At, key: string): void {
  const name = value[key];
  if (typeof name !== "string" || name === "" || names.includes(name)) return;
  const likely = nearest(name, names);
  const advice = likely
    ? `Did you mean "${likely}"?`
    : names.length
      ? `The services are: ${names.join(", ")}.`
      : "There are no services.";
  problems.error(
    "unknown-service",
    [...path, key],
    `There is no service "${name}". ${advice}`,
    likely ? { suggestion: likely } : {},
  );
}
