import { expect, test } from "vitest";
import { Allowance } from "./allowance.ts";

test("a burst, then a rate per second", () => {
  let now = 0;
  const allowance = new Allowance(3, 2, () => now);
  const taken = () => {
    let count = 0;
    while (allowance.take()) count++;
    return count;
  };
  expect(taken()).toBe(3);
  now += 499;
  expect(taken()).toBe(0);
  now += 501;
  expect(taken()).toBe(2);
  now += 3_600_000;
  expect(taken()).toBe(3);
});
