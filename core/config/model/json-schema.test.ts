import { expect, test } from "vitest";
import { stringify } from "yaml";
import { parseConfig } from "../parse-config.ts";
import { configJsonSchema } from "./json-schema.ts";

interface Schema {
  type: string | string[];
  description?: string;
  examples?: unknown[];
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
}

const schema = configJsonSchema() as unknown as Schema & Record<string, unknown>;

/** Each key with the way to it: `services[].name`. */
function keys({ properties, items, anyOf }: Schema, path = ""): [string, Schema][] {
  const forms = [properties, ...(anyOf ?? []).map((form) => form.properties)];
  const below = forms
    .flatMap((each) => Object.entries(each ?? {}))
    .map(([key, member]): [string, Schema] => [`${path}.${key}`, member]);
  if (items) below.push([`${path}[]`, items]);
  return below.flatMap(([at, member]) => [[at, member], ...keys(member, at)] as [string, Schema][]);
}

/** What the examples make when all keys are written. */
function example(part: Schema): unknown {
  if (part.properties)
    return Object.fromEntries(Object.entries(part.properties).map(([key, member]) => [key, example(member)]));
  return part.items?.properties ? [example(part.items)] : (part.examples?.[0] ?? 200);
}

test("it is draft 7, under the address where it is published", () => {
  expect(schema).toMatchObject({
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: "https://json.schemastore.org/linkup.json",
    title: "linkup.yaml",
    type: "object",
    required: ["linkup", "services", "domains"],
  });
});

test("every key is described, every text has an example", () => {
  const all = keys(schema).filter(([path]) => !path.endsWith("statuses[]"));
  expect(all.length).toBeGreaterThan(25);
  expect(all.filter(([, { description }]) => !description).map(([path]) => path)).toEqual([]);
  const texts = all.filter(([, { type }]) => [type].flat().includes("string"));
  expect(texts.filter(([, { examples }]) => !examples?.length).map(([path]) => path)).toEqual([]);
});

test("the examples together make a good file", () => {
  const file = example(schema) as {
    services: { name: string }[];
    domains: { routes: { service: string }[] }[];
    overrides: Record<string, unknown>[];
  };
  // It does one thing.
  const { target, respond, ...override } = file.overrides[0]!;
  const { file: _, ...response } = respond as Record<string, unknown>;
  file.overrides = [
    { ...override, fault: undefined, fallthrough: undefined, respond: response },
    { name: "slow", when: { path: "^/slow" }, fault: override.fault },
    { name: "here", target, fallthrough: true },
  ];
  file.services.push({ ...file.services[0]!, ...{ name: "api", local: "http://localhost:4000" } });
  expect(parseConfig(stringify(file)).diagnostics).toEqual([]);
});

test("null is as good as a missing key, also where there is a list of values", () => {
  const all = keys(schema) as [string, Schema & { enum?: unknown[] }][];
  const listed = all.filter(([, { type, enum: values }]) => [type].flat().includes("null") && values);
  expect(listed.map(([path, { enum: values }]) => [path, values])).toEqual([
    [".defaults.target", ["auto", "local", "remote", null]],
  ]);
  // A word or a map.
  const chosen = all.filter(([, { anyOf }]) => anyOf);
  expect(chosen.map(([path]) => path)).toEqual([".linkup.access"]);
  const [[, { anyOf: forms = [] }]] = chosen as [[string, Schema]];
  expect(forms.map(({ type }) => type)).toEqual(["string", "object", "null"]);
  expect(forms[0]).toMatchObject({ enum: ["public", "unguessable", "private"] });
});

test("unknown keys pass, for Linkup reads past them", () => {
  expect(JSON.stringify(schema)).not.toContain("additionalProperties");
});
