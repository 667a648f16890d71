import { expect, test } from "vitest";
import { inLargestUnit, parseDuration } from "./duration.ts";

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

test.each([
  [-60_000, 0, "min"],
  [29_000, 0, "min"],
  [59 * 60_000, 59, "min"],
  [60 * 60_000, 1, "h"],
  [47 * 3_600_000, 47, "h"],
  [48 * 3_600_000, 2, "d"],
])("%s ms are %s %s", (ms, count, unit) => {
  expect(inLargestUnit(ms)).toEqual({ count, unit });
});
