import { expect, test } from "vitest";
import { COLLECT_AFTER_SAMPLES, COLLECT_YOUNG_EVERY_SAMPLES, IdleDetector } from "./idle-detector.ts";

test("collects once after activity, and not again before the next activity", () => {
  const detector = new IdleDetector();
  let cpu = 0;
  const samples = (...used: number[]) =>
    used.map((ms) => {
      cpu += ms;
      return detector.sample(cpu);
    });
  const idle = (times: number) => samples(...Array<number>(times).fill(10));
  const once = (after: number) =>
    Array.from({ length: after }, (_, i) => (i === COLLECT_AFTER_SAMPLES - 1 ? "all" : undefined));
  expect(samples(500, 800)).toEqual([undefined, undefined]);
  expect(idle(2 * COLLECT_AFTER_SAMPLES)).toEqual(once(2 * COLLECT_AFTER_SAMPLES));
  cpu += 200;
  detector.collected(cpu);
  expect(idle(2 * COLLECT_AFTER_SAMPLES)).not.toContain("all");
  expect(samples(99, 99)).toEqual([undefined, undefined]);
  expect(samples(300)).toEqual([undefined]);
  expect(idle(COLLECT_AFTER_SAMPLES)).toEqual(once(COLLECT_AFTER_SAMPLES));
  expect(samples(300)).toEqual([undefined]);
  expect(idle(COLLECT_AFTER_SAMPLES - 1)).not.toContain("all");
  expect(samples(300)).toEqual([undefined]);
});

test("while it stays idle, what is young is collected now and then", () => {
  const detector = new IdleDetector();
  const samples = Array.from({ length: COLLECT_AFTER_SAMPLES + 2 * COLLECT_YOUNG_EVERY_SAMPLES }, (_, i) =>
    detector.sample(10 * i),
  );
  expect(samples.flatMap((due, i) => (due === "young" ? [i + 1 - COLLECT_AFTER_SAMPLES] : []))).toEqual([
    COLLECT_YOUNG_EVERY_SAMPLES,
    2 * COLLECT_YOUNG_EVERY_SAMPLES,
  ]);
});
