import { expect, test } from "vitest";
import { COLLECTS_AT, Quiet } from "./quiet.ts";

test("collects once after a busy time, and then no more until it was busy again", () => {
  const quiet = new Quiet();
  let cpu = 0;
  const looks = (...used: number[]) =>
    used.map((ms) => {
      cpu += ms;
      return quiet.look(cpu);
    });
  const idle = (times: number) => looks(...Array<number>(times).fill(10));
  const once = (after: number) => Array.from({ length: after }, (_, i) => i === COLLECTS_AT - 1);
  expect(looks(500, 800)).toEqual([false, false]);
  expect(idle(2 * COLLECTS_AT)).toEqual(once(2 * COLLECTS_AT));
  cpu += 200;
  quiet.collected(cpu);
  expect(idle(2 * COLLECTS_AT)).not.toContain(true);
  expect(looks(99, 99)).toEqual([false, false]);
  expect(looks(300)).toEqual([false]);
  expect(idle(COLLECTS_AT)).toEqual(once(COLLECTS_AT));
  expect(looks(300)).toEqual([false]);
  expect(idle(COLLECTS_AT - 1)).not.toContain(true);
  expect(looks(300)).toEqual([false]);
});
