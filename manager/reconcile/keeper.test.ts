import { expect, test } from "vitest";
import { LeaseWatch, RestWatch } from "./keeper.ts";

/** Looks once a second from 0 on; returns the second at which it ended. */
function endOf(used: (second: number) => boolean, seconds = 200): number | undefined {
  const watch = new LeaseWatch(0);
  for (let second = 1; second <= seconds; second++) {
    if (watch.hasEnded(used(second), second * 1_000)) return second;
  }
  return undefined;
}

test("the last lease is outlived by a reload's time, and not by much more", () => {
  expect(endOf(() => false)).toBe(41);
  expect(endOf((second) => second <= 100)).toBe(141);
  expect(endOf((second) => second % 30 === 0)).toBeUndefined();
});

test("a machine that slept gives its windows time to come back", () => {
  const watch = new LeaseWatch(0);
  expect(watch.hasEnded(true, 1_000)).toBe(false);
  expect(watch.hasEnded(false, 10_000_000)).toBe(false);
  expect(watch.hasEnded(true, 10_001_000)).toBe(false);
});

test("garbage is collected once in a rest, after a while", () => {
  const rest = new RestWatch();
  const quiet = [...Array(5).fill(true), false, ...Array(20).fill(true), false, ...Array(6).fill(true)];
  const found = quiet.map((each) => rest.isLong(each));
  expect(found.flatMap((isLong, look) => (isLong ? [look] : []))).toEqual([11, 32]);
});
