import { expect, test } from "vitest";
import { noCache } from "./no-cache.ts";

test.each([
  [undefined, "no-cache"],
  [null, "no-cache"],
  ["no-cache", "no-cache"],
  ["public, max-age=31536000, immutable", "no-cache"],
  ["no-cache, no-transform", "no-cache, no-transform"],
  ["private, No-Store, max-age=0, no-store", "no-cache, private, no-store"],
  ['private="set-cookie", must-revalidate', "no-cache"],
  [",, ", "no-cache"],
])("%j becomes %j", (own, expected) => {
  expect(noCache(own)).toBe(expected);
  expect(noCache(expected)).toBe(expected);
});
