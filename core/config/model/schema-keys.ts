/** The keys of linkup.yaml and their documentation, from the schema. */
import type * as z from "zod/mini";
import { $ZodArray, $ZodBoolean, $ZodNullable, $ZodObject, $ZodOptional, $ZodUnion } from "zod/v4/core";
import { configSchema, type KeyDoc, keyDocs } from "./config-schema.ts";

export interface KeyInfo extends KeyDoc {
  kind: "map" | "list" | "boolean" | "text";
  /** False when the key may be missing. */
  required: boolean;
  /** The keys of a map. */
  keys: string[];
}

/** The key at this path, in which any number means an item of a list. Undefined for paths that the schema does not have. */
export function keyInfoAt(path: readonly (string | number)[]): KeyInfo | undefined {
  const found = schemaAt(path);
  if (!found) return undefined;
  const documented = nonNull(found);
  const schema = unwrap(found);
  const kind =
    schema instanceof $ZodObject
      ? "map"
      : schema instanceof $ZodArray
        ? "list"
        : schema instanceof $ZodBoolean
          ? "boolean"
          : "text";
  const keys = schema instanceof $ZodObject ? Object.keys(schema._zod.def.shape) : [];
  return {
    kind,
    required: !(found instanceof $ZodOptional),
    keys,
    ...keyDocs.get(documented as z.ZodMiniType),
  };
}

/** The keys that a map at this path may have; undefined for a list or scalar. */
export function keysAt(path: readonly (string | number)[]): string[] | undefined {
  const info = keyInfoAt(path);
  return info?.kind === "map" ? info.keys : undefined;
}

function schemaAt(path: readonly (string | number)[]): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType = configSchema;
  for (const key of path) {
    schema = unwrap(schema);
    if (schema instanceof $ZodArray && typeof key === "number") schema = schema._zod.def.element;
    else if (
      schema instanceof $ZodObject &&
      typeof key === "string" &&
      Object.hasOwn(schema._zod.def.shape, key)
    )
      schema = schema._zod.def.shape[key]!;
    else return undefined;
  }
  return schema;
}

/** Of a choice, the map: the other forms have no keys. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = nonNull(schema);
  if (!(inner instanceof $ZodUnion)) return inner;
  return inner._zod.def.options.find((option) => option instanceof $ZodObject) ?? inner;
}

function nonNull(schema: z.core.$ZodType): z.core.$ZodType {
  while (schema instanceof $ZodOptional || schema instanceof $ZodNullable) schema = schema._zod.def.innerType;
  return schema;
}
