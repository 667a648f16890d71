/** Checks the shape of linkup.yaml: keys, types and formats, by the schema. */

import type * as z from "zod/mini";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import { configSchema, domainSchema, serviceSchema } from "../model/config-schema.ts";
import { keysAt } from "../model/schema-keys.ts";
import type { Path } from "../yaml/positions.ts";
import { valueAt } from "./map-at.ts";
import { nearest } from "./nearest-word.ts";

/** Items that were found right, as what: a text that is not changed keeps its objects. */
const right = { services: new WeakSet<object>(), domains: new WeakSet<object>() };

/** Services and domains are checked one by one, so that those that were right before cost nothing. */
export function checkShape(problems: DiagnosticCollector, value: unknown): void {
  const file = (isMap(value) ? { ...value } : value) as Record<string, unknown>;
  for (const [key, schema, sample] of [
    ["services", serviceSchema, SERVICE],
    ["domains", domainSchema, DOMAIN],
  ] as const) {
    const items = isMap(value) ? value[key] : undefined;
    if (!Array.isArray(items) || items.length === 0) continue;
    file[key] = [sample];
    for (const [i, item] of items.entries()) {
      if (isMap(item) && right[key].has(item)) continue;
      const result = schema.safeParse(item);
      if (!result.success) report(problems, value, result.error.issues, [key, i]);
      else if (isMap(item)) right[key].add(item);
    }
  }
  const result = configSchema.safeParse(file);
  if (!result.success) report(problems, value, result.error.issues, []);
}

/** Stand for all items where the rest of the file is checked. */
const SERVICE = { name: "a", remote: "http://a", local: "http://a" };
const DOMAIN = { domain: "a", default_service: "a" };

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function report(
  problems: DiagnosticCollector,
  value: unknown,
  issues: z.core.$ZodIssue[],
  parent: Path,
): void {
  for (const issue of issues) {
    const path = [...parent, ...(issue.path as Path)];
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) unknownKey(problems, value, path, key);
    } else if (valueAt(value, path) === undefined) {
      missingKey(problems, path);
    } else {
      problems.error("wrong-value", path, `${subject(path)} ${wish(issue)}.`);
    }
  }
}

function missingKey(problems: DiagnosticCollector, path: Path): void {
  const { tree } = problems.positions;
  const parent = tree.resolved(tree.node(path.slice(0, -1)));
  // Where the YAML is broken, the key may be there and only be unreadable; that an alias has no anchor was said.
  if (parent && tree.broken.some(({ start, end }) => start <= parent.start && parent.start < end)) return;
  if (parent?.kind === "map" && tree.pair(parent, String(path.at(-1)))) return;
  const range = problems.positions.value(path.slice(0, -1));
  problems.error("missing-key", path, `The key "${path.at(-1)}" is missing${where(path)}.`, { range });
}

/** The original accepts unknown keys, so this is a warning. */
function unknownKey(problems: DiagnosticCollector, value: unknown, parent: Path, key: string): void {
  const known = keysAt(parent) ?? [];
  const present = Object.keys(valueAt(value, parent) as object);
  const likely = nearest(
    key,
    known.filter((candidate) => !present.includes(candidate)),
  );
  const advice = likely ? `Did you mean "${likely}"?` : `The keys here are: ${known.join(", ")}.`;
  problems.warning("unknown-key", [...parent, key], `Linkup does not know the key "${key}". ${advice}`, {
    range: problems.positions.key([...parent, key]),
    ...(likely ? { suggestion: likely } : {}),
  });
}

/** `services[2].remote` */
function subject(path: Path): string {
  if (path.length === 0) return "linkup.yaml";
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : i === 0 ? key : `.${key}`)).join("");
}

function where(path: Path): string {
  return path.length === 1 ? "" : ` in ${subject(path.slice(0, -1))}`;
}

/** The schema's own words, or what it wanted where it has none. */
function wish(issue: { message: string; expected?: string }): string {
  if (!issue.message.startsWith("Invalid")) return issue.message;
  if (issue.expected === "object") return "must be a map of keys and values";
  return `must be ${issue.expected ? `of type ${issue.expected}` : "different"}`;
}
