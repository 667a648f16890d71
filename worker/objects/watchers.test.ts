import { expect, test, vi } from "vitest";
import { type ReportBatch, Watchers } from "./watchers.ts";

const batch = (...reports: string[]): ReportBatch => ({ lines: "", reports });

/** A session's object with one watcher, and what that was sent. */
function watched() {
  const sent: { reports: unknown[]; dropped: number }[] = [];
  const socket = { send: (text: string) => sent.push(JSON.parse(text)), close() {} };
  const state = { getWebSockets: () => [socket] } as unknown as DurableObjectState;
  return { watchers: new Watchers(state), sent };
}

test("reports beyond the limit per second are counted, and the count comes with the next report", () => {
  vi.useFakeTimers({ now: 5_000 });
  const { watchers, sent } = watched();
  watchers.report(batch(...Array<string>(600).fill("1")), [], 0);
  watchers.report(batch(...Array<string>(600).fill("1")), [], 7);
  expect(sent.map(({ reports, dropped }) => [reports.length, dropped])).toEqual([
    [600, 0],
    [400, 207],
  ]);
  vi.setSystemTime(6_000);
  watchers.report(batch("2"), [], 0);
  expect(sent.at(-1)).toEqual({ lines: [], reports: [2], dropped: 0 });
  vi.useRealTimers();
});

test("a message stays within what a WebSocket takes", () => {
  const { watchers, sent } = watched();
  watchers.report(batch(...Array<string>(3).fill(JSON.stringify("x".repeat(400_000)))), [], 0);
  expect(sent.map(({ reports, dropped }) => [reports.length, dropped])).toEqual([[2, 1]]);
});

test("the lines that reports refer to come with them, and count", () => {
  const { watchers, sent } = watched();
  watchers.report({ lines: '["a","b"],["c","d"]', reports: ["1", "2"] }, [], 0);
  watchers.report({ lines: JSON.stringify("x".repeat(900_000)), reports: ["3"] }, [], 0);
  expect(sent).toEqual([
    {
      lines: [
        ["a", "b"],
        ["c", "d"],
      ],
      reports: [1, 2],
      dropped: 0,
    },
    { lines: [], reports: [], dropped: 1 },
  ]);
});

test("a lost request is reported, whether its trace becomes known before or after it, and only to its own session", () => {
  vi.useFakeTimers({ now: 5_000 });
  const { watchers, sent } = watched();
  watchers.reportLost("b", batch('"lost b"'));
  watchers.reportLost("c", batch('"lost c"'));
  watchers.report(batch("1"), ["a"], 0);
  watchers.reportLost("a", batch('"lost a"'));
  watchers.report(batch("2"), ["b"], 0);
  expect(sent.flatMap(({ reports }) => reports)).toEqual([1, "lost a", 2, "lost b"]);
  // What nobody has asked for is forgotten.
  vi.setSystemTime(40_000);
  watchers.reportLost("d", batch('"lost d"'));
  watchers.report(batch("3"), ["c"], 0);
  expect(sent.flatMap(({ reports }) => reports).at(-1)).toBe(3);
  vi.useRealTimers();
});

test("the watcher takes only the traces of requests that did not pass the Worker", () => {
  const { watchers, sent } = watched();
  const socket = { send() {} } as unknown as WebSocket;
  const trace = "a".repeat(32);
  watchers.reportLost(trace, batch('"lost"'));
  for (const wrong of [
    `{"traces":["${trace}","x"]}`,
    `{"traces":"${trace}"}`,
    `{"traces":[${Array(101).fill(`"${trace}"`)}]}`,
    new ArrayBuffer(8),
  ])
    watchers.answer(socket, wrong);
  expect(sent).toEqual([]);
  watchers.answer(socket, JSON.stringify({ traces: ["b".repeat(32), trace] }));
  expect(sent.flatMap(({ reports }) => reports)).toEqual(["lost"]);
});
