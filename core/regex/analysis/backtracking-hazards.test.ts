import { expect, test } from "vitest";
import { compile } from "../pattern.ts";
import { patternWarnings } from "./backtracking-hazards.ts";

test.each([
  ["/foo/(.*)", []],
  ["^/(?<id>\\d+)/[^/]+$", []],
  ["(/[^/]+)*$", []],
  ["^/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+/x$", []],
  ["(?:[a-z]+,)+", []],
  ["a(?=b)", ["dialect@1+3"]],
  ["(?i)a", ["dialect@0+4"]],
  ["(?P<n>a)", ["dialect@0+6"]],
  ["[[:alpha:]]", ["dialect@1+9"]],
  ["a{", ["dialect@1+1"]],
  ["^*", ["dialect@0+2"]],
  ["(a)\\1", ["dialect@3+2", "backtracking@3+2"]],
  ["x(a+)+$", ["backtracking@1+5"]],
  ["(.*)*x", ["backtracking@0+5"]],
  ["(x+x+)+y", ["backtracking@0+7"]],
  ["(a|a)*b", ["backtracking@0+6"]],
  ["(?:\\w|\\d)+b", ["backtracking@0+10"]],
  ["(.*a){20}", ["backtracking@0+9"]],
])("%j gets the warnings %j", (source, expected) => {
  const compiled = compile(source);
  if (!compiled.ok) throw new Error(source);
  const found = patternWarnings(compiled.pattern).map(
    ({ kind, offset, length }) => `${kind}@${offset}+${length}`,
  );
  expect(found).toEqual(expected);
});
