import fc from "fast-check";
import { expect, test } from "vitest";
import { compile } from "../pattern.ts";
import { neverMatches, routeCovers } from "./route-coverage.ts";

test.each([
  [".*", "^/api/", true],
  ["", "^/api/", true],
  ["/", "^/api/", true],
  ["^/", "users$", true],
  ["^/api/.*", "^/api/v1/.*", true],
  ["^/api/.*", "^/api/v1", true],
  ["^/api/", "^/api/", true],
  ["/api", "^/(api|apis)/v\\d+$", true],
  ["^/[a-z]+$", "^/abc$", true],
  ["^/(?i:api)", "^/Api", true],
  ["/a|/b", "^/[ab]", true],
  ["^/api/v1", "^/api/", false],
  ["^/api$", "^/api", false],
  ["^/.+", "^/", false],
  ["users", "user", false],
  ["^/[a-y]", "^/[a-z]", false],
  // What no automaton decides is not certain.
  ["(?=/)", "^/api", false],
  ["\\b", "^/api", false],
  ["(", "^/api", false],
])("%s takes all of %s: %s", (earlier, later, expected) => {
  expect(routeCovers(earlier, later)).toBe(expected);
});

test.each([
  ["^api/", true],
  ["api\\?x=1", true],
  ["/$^", true],
  ["^/api", false],
  ["api", false],
  ["(?!.)", false],
])("%s is found in no path: %s", (pattern, expected) => {
  expect(neverMatches(pattern)).toBe(expected);
});

test("no path contradicts the answer", () => {
  const part = fc.constantFrom(
    "a",
    "b",
    "/",
    ".",
    "[ab]",
    "a*",
    "(a|/b)",
    "b+",
    "^",
    "$",
    "a?",
    ".*",
    "a{2}",
  );
  const pattern = fc.array(part, { maxLength: 4 }).map((parts) => parts.join(""));
  const path = fc
    .array(fc.constantFrom("a", "b", "/", "c"), { maxLength: 6 })
    .map((rest) => `/${rest.join("")}`);
  const found = (source: string, path: string) => {
    const compiled = compile(source);
    return compiled.ok && compiled.pattern.test(path) === "match";
  };
  let certain = 0;
  fc.assert(
    fc.property(
      pattern,
      pattern,
      fc.array(path, { minLength: 5, maxLength: 20 }),
      (earlier, later, paths) => {
        if (neverMatches(later)) expect(paths.filter((path) => found(later, path))).toEqual([]);
        if (!routeCovers(earlier, later)) return;
        certain++;
        expect(paths.filter((path) => found(later, path) && !found(earlier, path))).toEqual([]);
      },
    ),
    { numRuns: 2000 },
  );
  expect(certain).toBeGreaterThan(100);
});
