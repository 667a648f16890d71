/** Checks the shape of linkup.yaml: keys, types and formats, against the schema. */
import type * as z from "zod/mini";
import { type Text, text } from "../../text.ts";
import type { DiagnosticCollector } from "../model/config-diagnostic.ts";
import { CONFIG_MESSAGES as MESSAGES } from "../model/config-messages.ts";
import {
  accessSchema,
  configSchema,
  domainSchema,
  overrideSchema,
  serviceSchema,
} from "../model/config-schema.ts";
import { keysAt } from "../model/schema-keys.ts";
import type { Path } from "../yaml/yaml-node.ts";
import { valueAt } from "./map-at.ts";
import { nearestWord } from "./nearest-word.ts";
import { subjectOf } from "./subject.ts";

/** Objects already validated, per schema: a text that does not change keeps its objects. */
const validated = {
  services: new WeakSet<object>(),
  domains: new WeakSet<object>(),
  overrides: new WeakSet<object>(),
};

/** Most unknown keys of one map for which a similar key is looked up. */
const MAX_SUGGESTIONS = 10;

/** Services and domains are checked one by one, so that those validated before cost nothing. */
export function checkShape(collector: DiagnosticCollector, value: unknown): void {
  const file = (isMap(value) ? { ...value } : value) as Record<string, unknown>;
  for (const [key, schema, sample] of [
    ["services", serviceSchema, SAMPLE_SERVICE],
    ["domains", domainSchema, SAMPLE_DOMAIN],
    ["overrides", overrideSchema, SAMPLE_OVERRIDE],
  ] as const) {
    const items = isMap(value) ? value[key] : undefined;
    if (!Array.isArray(items) || items.length === 0) continue;
    file[key] = [sample];
    for (const [i, item] of items.entries()) {
      if (isMap(item) && validated[key].has(item)) continue;
      const result = schema.safeParse(item);
      if (!result.success) report(collector, value, result.error.issues, [key, i]);
      else if (isMap(item)) validated[key].add(item);
    }
  }
  const access = isMap(file) && isMap(file.linkup) ? file.linkup.access : undefined;
  if (isMap(access)) {
    // By itself, because a choice of forms reports nothing of what is inside.
    const result = accessSchema.safeParse(access);
    if (!result.success) report(collector, value, result.error.issues, ["linkup", "access"]);
    file.linkup = { ...(file.linkup as object), access: null };
  }
  const result = configSchema.safeParse(file);
  if (!result.success) report(collector, value, result.error.issues, []);
}

/** Substitutes for the lists' items while the rest of the file is checked. */
const SAMPLE_SERVICE = { name: "a", remote: "http://a", local: "http://a" };
const SAMPLE_DOMAIN = { domain: "a", default_service: "a" };

const SAMPLE_OVERRIDE = { name: "a" };

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function report(
  collector: DiagnosticCollector,
  value: unknown,
  issues: z.core.$ZodIssue[],
  parent: Path,
): void {
  const found = issues.map((issue) => ({ issue, path: [...parent, ...(issue.path as Path)] }));
  const isMissing = ({ issue, path }: (typeof found)[number]) =>
    issue.code !== "unrecognized_keys" && valueAt(value, path) === undefined;
  const missing = new Map(found.filter(isMissing).map(({ path }) => [JSON.stringify(path), path]));
  for (const { issue, path } of found) {
    if (issue.code === "unrecognized_keys") reportUnknownKeys(collector, value, path, issue.keys, missing);
    else if (valueAt(value, path) !== undefined)
      collector.error("wrong-value", path, text(MESSAGES.wrongValue, subjectOf(value, path), wish(issue)));
  }
  for (const path of missing.values()) reportMissingKey(collector, value, path);
}

function reportMissingKey(collector: DiagnosticCollector, value: unknown, path: Path): void {
  const { tree } = collector.positions;
  const parentPath = path.slice(0, -1);
  const parent = tree.resolved(tree.node(parentPath));
  // The key may be there and be unreadable because of a syntax error, or be an alias without an anchor.
  if (parent && tree.broken.some(({ start, end }) => start <= parent.start && parent.start < end)) return;
  if (parent?.kind === "map" && tree.pair(parent, String(path.at(-1)))) return;
  const key = String(path.at(-1));
  const message =
    parentPath.length === 0
      ? text(MESSAGES.missingKey, key)
      : text(MESSAGES.missingKeyIn, key, subjectOf(value, parentPath));
  collector.error("missing-key", path, message, { range: collector.positions.value(parentPath) });
}

/**
 * The original Linkup accepts unknown keys, so these are warnings; but errors where a key is missing that they are most likely
 * meant to be, which is then no longer among `missing`: it is one problem.
 */
function reportUnknownKeys(
  collector: DiagnosticCollector,
  value: unknown,
  parent: Path,
  keys: readonly string[],
  missing: Map<string, Path>,
): void {
  const known = keysAt(parent) ?? [];
  const map = valueAt(value, parent) as object;
  const absent = new Set(known.filter((key) => !Object.hasOwn(map, key)));
  for (const [i, key] of keys.entries()) {
    const path = [...parent, key];
    if (collector.isFull) {
      collector.warning("unknown-key", path, text(MESSAGES.unknownKey, key));
      continue;
    }
    const similar = i < MAX_SUGGESTIONS ? nearestWord(key, absent) : undefined;
    const message =
      similar !== undefined
        ? text(MESSAGES.unknownKeyLike, key, similar)
        : i < MAX_SUGGESTIONS
          ? text(MESSAGES.unknownKeyAmong, key, known.join(", "))
          : text(MESSAGES.unknownKey, key);
    const details = { range: collector.positions.key(path), suggestion: similar };
    if (similar !== undefined && missing.delete(JSON.stringify([...parent, similar]))) {
      absent.delete(similar);
      collector.error("unknown-key", path, message, details);
    } else collector.warning("unknown-key", path, message, details);
  }
}

/** The schema's own message, or a general one when it has none. */
function wish(issue: { message: string; expected?: string }): Text {
  if (!issue.message.startsWith("Invalid")) return text(issue.message);
  if (issue.expected === "object") return text(MESSAGES.mustBeMap);
  return issue.expected ? text(MESSAGES.mustBeOfType, issue.expected) : text(MESSAGES.mustBeDifferent);
}
