import { expect, test } from "vitest";
import { withIgnored } from "./ignored-differences.ts";

test.each([
  ["a: 1 # one\n", 'a: 1 # one\n\ncompare:\n  ignore:\n    - "x.*.id"\n'],
  [
    "a: 1\ncompare:\n  ignore:\n    - y # y\nb: 2\n",
    'a: 1\ncompare:\n  ignore:\n    - y\n    - "x.*.id" # y\nb: 2\n',
  ],
  ["compare: { ignore: [y] }\n", 'compare: { ignore: [y, "x.*.id"] }\n'],
  ["compare: { ignore: ['x.*.id'] }\n", "compare: { ignore: ['x.*.id'] }\n"],
])("%j", (text, expected) => expect(withIgnored(text, ["x.*.id"])).toBe(expected));

test("an empty key is filled", () => {
  expect(withIgnored("a: 1\ncompare:\n", ["x"])).toContain("ignore:\n    - x");
});
