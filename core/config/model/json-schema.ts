/** The JSON schema of linkup.yaml for other editors. */
import * as z from "zod/mini";
import { configSchema, keyDocs } from "./config-schema.ts";

/** Where the schema is published, for editors without this extension. */
export const SCHEMA_URL = "https://json.schemastore.org/linkup.json";

type JsonSchema = Record<string, unknown>;

/** JSON Schema (draft 7) of linkup.yaml. It allows unknown keys, as Linkup does: only our own editor warns of them. */
export function configJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, {
    target: "draft-7",
    io: "input",
    metadata: keyDocs,
  });
  return { $schema, $id: SCHEMA_URL, title: "linkup.yaml", ...(simplified(schema) as JsonSchema) };
}

/** `anyOf` of a type and null becomes a list of types, which editors show better. */
function simplified(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(simplified);
  if (typeof schema !== "object" || schema === null) return schema;
  const { anyOf, additionalProperties: _closed, ...rest } = schema as JsonSchema;
  const members = Object.entries(rest).map(([key, value]) => [
    key,
    key === "examples" || key === "default" || key === "required" ? value : simplified(value),
  ]);
  const plain = Object.fromEntries(members) as JsonSchema;
  if (!Array.isArray(anyOf)) return plain;
  const choices = anyOf.map(simplified) as JsonSchema[];
  const [inner, ...others] = choices.filter(({ type }) => type !== "null");
  if (others.length > 0) return { ...plain, anyOf: choices };
  if (Array.isArray(inner!.anyOf)) return { ...inner, ...plain, anyOf: [...inner!.anyOf, { type: "null" }] };
  const values = inner!.enum as unknown[] | undefined;
  return { ...inner, ...plain, type: [inner!.type, "null"], ...(values ? { enum: [...values, null] } : {}) };
}
