import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesPattern } from "./name-pattern.ts";

test.each([
  ["*", "slim-gecko", true],
  ["*", "", true],
  ["pr-*", "pr-12", true],
  ["pr-*", "apr-12", false],
  ["pr-?", "pr-1", true],
  ["pr-?", "pr-12", false],
  ["*-gecko", "slim-gecko", true],
  ["*e*k*", "slim-gecko", true],
  ["slim", "slim-gecko", false],
  ["", "a", false],
  ["[a-z]*", "abc", false],
])("%s and %s: %s", (pattern, name, matches) => {
  expect(matchesPattern(pattern, name)).toBe(matches);
});

test("matches as the regular expression of the same meaning", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 6 });
  fc.assert(
    fc.property(pattern, text, (pattern, name) => {
      const regex = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`);
      expect(matchesPattern(pattern, name)).toBe(regex.test(name));
    }),
  );
});

test("many stars take no time", () => {
  expect(matchesPattern("*a".repeat(100), `${"a".repeat(62)}b`)).toBe(false);
});
