import { expect, test } from "vitest";
import { isRunning, linuxStart, ownId, type ProcessId, RunningCache } from "./process-identity.ts";

test("this process knows itself", async () => {
  expect(await isRunning(await ownId())).toBe(true);
});

test("where it takes long to ask, one that was the right one a moment ago is asked for again later", async () => {
  const id = { pid: 1, started: "then" };
  const asked: number[] = [];
  let [exists, now] = [true, 0];
  const right = async ({ started }: ProcessId) => {
    asked.push(now);
    return exists && started === "then";
  };
  const runningCache = new RunningCache(() => exists, right);
  const isThere = (at: number, of = id) => {
    now = at;
    return runningCache.isRunning(of, at);
  };
  for (const at of [0, 20, 9_999, 10_000, 10_020]) expect(await isThere(at)).toBe(true);
  expect(asked).toEqual([0, 10_000]);
  expect(await isThere(10_030, { ...id, started: "later" })).toBe(false);
  exists = false;
  expect(await isThere(10_040)).toBe(false);
  expect(asked).toEqual([0, 10_000, 10_030, 10_040]);
});

test("/proc/PID/stat, recorded", () => {
  // A name may hold spaces and parentheses.
  const stat = (state: string) =>
    `4711 (tmux: (a) b) ${state} 1 4711 4711 0 -1 4194368 1160 83 0 0 5 3 0 0 20 0 1 0 2287654 9220096 1050`;
  expect(linuxStart(stat("S"))).toBe("2287654");
  expect(linuxStart(stat("Z"))).toBeUndefined();
  expect(linuxStart(undefined)).toBeUndefined();
});
