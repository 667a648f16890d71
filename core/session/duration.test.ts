import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

test.each([
  ["90s", 90],
  ["30m", 1800],
  ["12h", 43_200],
  ["7d", 604_800],
  [" 2w ", 1_209_600],
  ["0d", undefined],
  ["7", undefined],
  ["-1d", undefined],
  ["1.5d", undefined],
  ["7 days", undefined],
  ["999999999s", undefined],
  ["", undefined],
])("%s is %s", (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});
