import { expect, test } from "vitest";
import type { EdgeReport } from "../../core/api/edge-report-api.ts";
import type { Served } from "../served-sessions.ts";
import { EdgeLog } from "./edge-log.ts";

const SERVED = { name: "slim-gecko" } as Served;
const report = (hop: string, more: Partial<EdgeReport> = {}) =>
  ({ hop, lost: false, trace: null, method: "GET", host: "Api.Example.com", ...more }) as EdgeReport;

/** A log, and what becomes of a report. */
function logOf(size = 10) {
  const log = new EdgeLog(size);
  let lastId = 100;
  const add = (one: EdgeReport) => {
    const { id, joined } = log.add(SERVED, one, 0, () => ++lastId);
    return [id, joined];
  };
  return { log, add };
}

test("an exchange that came through the Worker, one that went there, and one that did neither", () => {
  const { log, add } = logOf();
  log.expect("a", 1);
  log.expectSent("b", { id: 2, method: "GET", host: "api.example.com" });
  expect(add(report("a"))).toEqual([1, "before"]);
  expect(add(report("x", { from_hop: "b" }))).toEqual([2, "after"]);
  expect(add(report("y", { from_hop: "unknown" }))).toEqual([101, undefined]);
});

test("a hop id that a service has copied to a request of its own joins nothing", () => {
  const { log, add } = logOf();
  log.expectSent("b", { id: 2, method: "GET", host: "api.example.com" });
  expect(add(report("x", { from_hop: "b", host: "auth.example.com" }))).toEqual([101, undefined]);
  expect(add(report("y", { from_hop: "b", method: "POST" }))).toEqual([102, undefined]);
  expect(add(report("z", { from_hop: "b" }))).toEqual([2, "after"]);
  expect(add(report("again", { from_hop: "b" }))).toEqual([103, undefined]);
});

test("what is reported again at its end stays the row that it was", () => {
  const { log, add } = logOf();
  log.expectSent("b", { id: 2, method: "GET", host: "api.example.com" });
  const sent = report("x", { from_hop: "b", total: null });
  expect(add(sent)).toEqual([2, "after"]);
  expect(add({ ...sent, total: 30 })).toEqual([2, "after"]);
  expect(add(report("y", { total: null }))).toEqual([101, undefined]);
  expect(add(report("y", { total: 9 }))).toEqual([101, undefined]);
  expect([...log].map(({ id, report }) => [id, report.total])).toEqual([
    [2, 30],
    [101, 9],
  ]);
});

test("what is reported again after the log was cleared is still the same exchange", () => {
  const { log, add } = logOf();
  log.expectSent("b", { id: 2, method: "GET", host: "api.example.com" });
  add(report("x", { from_hop: "b", total: null }));
  log.clear();
  expect(add(report("x", { from_hop: "b", total: 30 }))).toEqual([2, "after"]);
});

test("the oldest are forgotten", () => {
  const { log, add } = logOf(2);
  for (const hop of ["a", "b", "c"]) add(report(hop));
  expect([...log].map(({ report }) => report.hop)).toEqual(["b", "c"]);
  log.clear();
  expect([...log]).toEqual([]);
});
