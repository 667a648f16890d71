import fc from "fast-check";
import { expect, test } from "vitest";
import { Fields, fieldsOf } from "./fields.ts";

const copy = (raw: string[]) => raw.map((text) => Buffer.from(text).toString());

test("the same lines are the same object, others another one", () => {
  const raw = ["Host", "a.example", "Accept", "*/*"];
  const fields = fieldsOf(raw);
  expect(fieldsOf(copy(raw))).toBe(fields);
  for (const other of [
    ["Host", "b.example", "Accept", "*/*"],
    ["host", "a.example", "Accept", "*/*"],
    ["Accept", "*/*", "Host", "a.example"],
    ["Host", "a.example"],
    [...raw, "Accept", ""],
  ])
    expect(fieldsOf(other)).not.toBe(fields);
});

test("whatever was asked before, it has the lines that are asked for", () => {
  const text = fc.constantFrom("", "a", "b", "A", "ab");
  const lines = fc.array(fc.tuple(text, text), { maxLength: 4 }).map((pairs) => pairs.flat());
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 50 }), (all) => {
      for (const raw of all) expect(fieldsOf(copy(raw))).toMatchObject(new Fields(raw));
    }),
  );
});

test("very long ones are not remembered", () => {
  const raw = ["Cookie", "a".repeat(10_000)];
  expect(fieldsOf(raw)).not.toBe(fieldsOf(raw));
});
