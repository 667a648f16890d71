/** Checks the shape of linkup.yaml: keys, types and formats, by the schema. */

import { keysAt } from "./keys.ts";
import { valueAt } from "./maps.ts";
import { nearest } from "./nearest.ts";
import type { Path } from "./positions.ts";
import type { Problems } from "./problem.ts";
import { configSchema } from "./schema.ts";

export function checkShape(problems: Problems, value: unknown): void {
  const result = configSchema.safeParse(value);
  if (result.success) return;
  for (const issue of result.error.issues) {
    const path = issue.path as Path;
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) unknownKey(problems, value, path, key);
    } else if (valueAt(value, path) === undefined) {
      missingKey(problems, path);
    } else {
      problems.error("wrong-value", path, `${subject(path)} ${wish(issue)}.`);
    }
  }
}

function missingKey(problems: Problems, path: Path): void {
  const { tree } = problems.positions;
  const parent = tree.resolved(tree.node(path.slice(0, -1)));
  // Where the YAML is broken, the key may be there and only be unreadable; that an alias has no anchor was said.
  if (parent && tree.broken.some(({ start, end }) => start <= parent.start && parent.start < end)) return;
  if (parent?.kind === "map" && tree.pair(parent, String(path.at(-1)))) return;
  const range = problems.positions.value(path.slice(0, -1));
  problems.error("missing-key", path, `The key "${path.at(-1)}" is missing${where(path)}.`, { range });
}

/** The original accepts unknown keys, so this is a warning. */
function unknownKey(problems: Problems, value: unknown, parent: Path, key: string): void {
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
