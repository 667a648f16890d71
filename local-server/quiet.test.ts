import { expect, test } from "vitest";
import { Quiet } from "./quiet.ts";

test("collects once after a busy time, and then no more until it was busy again", () => {
  const quiet = new Quiet();
  let cpu = 0;
  const looks = (...used: number[]) =>
    used.map((ms) => {
      cpu += ms;
      return quiet.look(cpu);
    });
  expect(looks(500, 800)).toEqual([false, false]);
  expect(looks(10, 10, 10, 10, 10, 10, 10)).toEqual([false, true, false, false, false, false, false]);
  expect(looks(99, 99)).toEqual([false, false]);
  expect(looks(300, 10, 10)).toEqual([false, false, true]);
  expect(looks(300, 10, 300, 10)).toEqual([false, false, false, false]);
});
