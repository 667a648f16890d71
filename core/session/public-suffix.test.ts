import fc from "fast-check";
import { getPublicSuffix } from "tldts";
import { expect, test } from "vitest";
import { lines, rules } from "../../scripts/public-suffixes.mjs";
import { publicSuffix } from "./public-suffix.ts";
import { PUBLIC_SUFFIXES } from "./public-suffixes.ts";

const OPTIONS = { allowPrivateDomains: true };
const LISTED = rules().map((rule) => rule.replace(/^!/, ""));

test("the list is that of the installed tldts: else run scripts/public-suffixes.mjs", () => {
  expect(PUBLIC_SUFFIXES).toBe(lines());
});

test("every rule, and what is around it, has the suffix that tldts finds", () => {
  const names = LISTED.flatMap((rule) => {
    const name = rule.replace("*", "any");
    return [name, `a.${name}`, `b.a.${name}`, name.slice(name.indexOf(".") + 1)];
  });
  const differing = names.filter((name) => publicSuffix(name) !== getPublicSuffix(name, OPTIONS));
  expect(differing).toEqual([]);
});

test("any name has the suffix that tldts finds", () => {
  const label = fc.stringMatching(/^[a-z\d_-]{1,5}$/);
  const end = fc.oneof(fc.constantFrom(...LISTED, "localhost", "test"), label);
  const name = fc
    .tuple(fc.array(label, { maxLength: 3 }), end)
    .map(([labels, end]) => [...labels, end].join("."));
  fc.assert(
    fc.property(name, (name) => {
      expect([name, publicSuffix(name)]).toEqual([name, getPublicSuffix(name, OPTIONS) ?? undefined]);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["127.0.0.1", undefined],
  ["[::1]", undefined],
  ["", undefined],
  [".", undefined],
  ["a..com", undefined],
  ["exa mple.com", undefined],
  ["straße.個人.hk", "個人.hk"],
  ["xn--strae-oqa.xn--gmqw5a.hk", "xn--gmqw5a.hk"],
  [`${"a.".repeat(200)}com`, undefined],
])("the public suffix of %j is %j", (name, expected) => {
  expect(publicSuffix(name)).toBe(expected);
});
