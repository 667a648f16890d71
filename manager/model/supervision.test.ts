import { expect, test } from "vitest";
import { problem } from "./problem.ts";
import { failed, isDue, markHealthy, markStarted, notStarted, type Supervised } from "./supervision.ts";

const broken = problem("local-server-failed", "It ended with exit code 1.");
const id = { pid: 1, started: "1" };

/** Starts and fails at once, as often as it is let. Returns the waits. */
function waits(): { waits: number[]; last: Supervised } {
  let now = 1_000_000;
  let state = notStarted();
  const waits: number[] = [];
  while (state.retry_at !== null) {
    waits.push(Math.max(0, state.retry_at - now));
    now = Math.max(now, state.retry_at);
    expect(isDue(state, now)).toBe(true);
    state = failed(markStarted(state, id, now), broken, now);
  }
  return { waits, last: state };
}

test("what fails in a row is tried ever less often, then given up with the reason", () => {
  const { waits: seen, last } = waits();
  expect(seen).toEqual([0, 0, 1_000, 2_000, 5_000, 10_000, 20_000]);
  expect(isDue(last, Number.MAX_SAFE_INTEGER)).toBe(false);
  expect(last.problem?.message).toMatch(
    /^It ended with exit code 1\.\nIt failed 6 times in a row and will not be restarted/,
  );
  expect(last.problem?.actions[0]).toMatchObject({ terminal: "linkup start" });
});

test("a clock that is put back makes nothing wait", () => {
  const yesterday = 1_000_000;
  const today = yesterday + 24 * 60 * 60 * 1000;
  const state = { ...notStarted(), retry_at: today + 20_000 };
  expect(isDue(state, today)).toBe(false);
  expect(isDue(state, yesterday)).toBe(true);
});

test("what ran for a while is started again at once", () => {
  let state = failed(markStarted(notStarted(), id, 0), broken, 10);
  state = markStarted(state, id, 1_000);
  expect(failed(state, broken, 2_000)).toMatchObject({ failures: 2, retry_at: 3_000 });
  expect(failed(state, broken, 61_000)).toMatchObject({ failures: 1, retry_at: 61_000 });
});

test("a healthy process has no problem, and soon no failure history", () => {
  const state = markStarted(failed(notStarted(), broken, 0), id, 0);
  expect(markHealthy(state, 1_000)).toMatchObject({ problem: null, failures: 1 });
  expect(markHealthy(state, 60_000)).toMatchObject({ problem: null, failures: 0 });
});
