/** Access to the values of a file that may have any shape. */
import type { Path } from "../yaml/yaml-node.ts";

/** A map somewhere in the document. */
export interface MapAt {
  path: Path;
  value: Record<string, unknown>;
}

export function valueAt(value: unknown, path: Path): unknown {
  for (const key of path) value = (value as Record<string | number, unknown> | null | undefined)?.[key];
  return value;
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The list at this path; empty when it is missing or another kind of value. */
export function listAt(value: unknown, path: Path): unknown[] {
  const list = valueAt(value, path);
  return Array.isArray(list) ? list : [];
}

/** The items of the list at this path that are maps. */
export function mapsAt(value: unknown, path: Path, parent: Path = []): MapAt[] {
  return listAt(value, path).flatMap((item, i) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? [{ path: [...parent, ...path, i], value: item }]
      : [],
  ) as MapAt[];
}
