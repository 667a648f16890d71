import { expect, test } from "vitest";
import { COLLECT_AFTER_SAMPLES, IdleDetector } from "./idle-detector.ts";

test("collects once after activity, and not again before the next activity", () => {
  const detector = new IdleDetector();
  let cpu = 0;
  const samples = (...used: number[]) =>
    used.map((ms) => {
      cpu += ms;
      return detector.sample(cpu);
    });
  const idle = (times: number) => samples(...Array<number>(times).fill(10));
  const once = (after: number) => Array.from({ length: after }, (_, i) => i === COLLECT_AFTER_SAMPLES - 1);
  expect(samples(500, 800)).toEqual([false, false]);
  expect(idle(2 * COLLECT_AFTER_SAMPLES)).toEqual(once(2 * COLLECT_AFTER_SAMPLES));
  cpu += 200;
  detector.collected(cpu);
  expect(idle(2 * COLLECT_AFTER_SAMPLES)).not.toContain(true);
  expect(samples(99, 99)).toEqual([false, false]);
  expect(samples(300)).toEqual([false]);
  expect(idle(COLLECT_AFTER_SAMPLES)).toEqual(once(COLLECT_AFTER_SAMPLES));
  expect(samples(300)).toEqual([false]);
  expect(idle(COLLECT_AFTER_SAMPLES - 1)).not.toContain(true);
  expect(samples(300)).toEqual([false]);
});
