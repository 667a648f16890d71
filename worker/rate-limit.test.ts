import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("as many as there are in a minute, then one for each that comes back", () => {
  const limit = new RateLimit(6);
  const taken = Array.from({ length: 8 }, () => limit.take("a", 0));
  expect(taken).toEqual([0, 0, 0, 0, 0, 0, 10, 10]);
  expect(limit.take("a", 5_000)).toBe(5);
  expect(limit.take("a", 10_000)).toBe(0);
  expect(limit.take("a", 10_000)).toBe(10);
});

test("callers do not share, a quiet one never saves up more than a minute's worth", () => {
  const limit = new RateLimit(2);
  limit.take("a", 0);
  limit.take("a", 0);
  expect([limit.isExhausted("a", 0), limit.isExhausted("b", 0)]).toEqual([true, false]);
  expect(Array.from({ length: 3 }, () => limit.take("a", 3_600_000))).toEqual([0, 0, 30]);
});

test("a refund lets the caller go on", () => {
  const limit = new RateLimit(1);
  expect(limit.isUsed).toBe(false);
  expect(limit.take("a", 0)).toBe(0);
  expect(limit.isUsed).toBe(true);
  limit.refund("a", 0);
  expect(limit.take("a", 0)).toBe(0);
  expect(limit.isExhausted("a", 0)).toBe(true);
});

test("callers are forgotten, oldest first, instead of filling the memory", () => {
  const limit = new RateLimit(1);
  limit.take("first", 0);
  for (let i = 0; i < 1000; i++) limit.take(`caller-${i}`, 0);
  expect([limit.isExhausted("first", 0), limit.isExhausted("caller-999", 0)]).toEqual([false, true]);
});
