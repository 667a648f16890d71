import { expect, test } from "vitest";
import type { Exchange } from "../api/request-log-api.ts";
import { traceOf } from "./trace.ts";

let lastId = 0;
function row(service: string | null, time: number, total: number, more: Partial<Exchange> = {}): Exchange {
  return {
    id: ++lastId,
    service,
    at: service === null ? null : "local",
    time,
    listener: "browser",
    timings: { queue: 0, connect: null, first_byte: total, total },
    edge: null,
    ...more,
  } as Exchange;
}

const hop = (time: number, first_byte: number) =>
  ({
    time,
    first_byte,
    total: null,
    after: false,
    session_by: "host",
    status: 200,
    failure: null,
    url: null,
    trace_began: true,
  }) as const;

const shown = (rows: Exchange[]) =>
  traceOf(rows).spans.map(
    ({ depth, hop, exchange, gaps }) =>
      `${"  ".repeat(depth)}${exchange.service} ${hop}: ${gaps.map(({ is, ms }) => `${is} ${ms}`).join(", ")}`,
  );

test("page → api → auth: each hop of Linkup is a span, and each gap has a name", () => {
  const web = row("web", 1_005, 90, { edge: hop(1_000, 100), listener: "tunnel" });
  const api = row("api", 1_020, 40, { timings: { queue: 1, connect: 2, first_byte: 39, total: 40 } });
  const auth = row("auth", 1_030, 10, { edge: hop(1_030, 10), listener: "edge" });
  // As they came to the log, not in their order.
  expect(shown([auth, web, api])).toEqual([
    "web worker: tunnel 5, tunnel 5",
    "  web local-server: service 15, service 35",
    "    api local-server: queue 1, connect 2, service 7, service 20",
    "      auth worker: service 10",
  ]);
  const { start, end, unseen, spans } = traceOf([auth, web, api]);
  expect([start, end, unseen]).toEqual([1_000, 1_100, []]);
  expect(spans.map(({ parent }) => parent)).toEqual([-1, 0, 1, 2]);
});

test("what this machine sends to the Worker: the Worker's hop is below it, and the way has a name", () => {
  const far = row("far", 1_000, 50, { edge: { ...hop(1_004, 30), after: true, total: 40 } });
  expect(shown([far])).toEqual(["far local-server: way 4, way 6", "  far worker: service 40"]);
});

test("calls beside each other, one that lost its session, and a time that nobody saw", () => {
  const first = row("web", 0, 100);
  const one = row("api", 10, 30);
  const other = row("auth", 50, 30);
  const lost = row(null, 85, 1);
  const later = row("api", 150, 10);
  expect(shown([first, one, other, lost, later])).toEqual([
    "web local-server: service 10, service 10, service 5, service 14",
    "  api local-server: service 30",
    "  auth local-server: service 30",
    "  null local-server: ",
    "api local-server: service 10",
  ]);
  expect(traceOf([first, later]).unseen).toEqual([{ is: "unseen", start: 100, ms: 50 }]);
});

test("an exchange in flight, and clocks that disagree", () => {
  const open = row("web", 0, 0, { timings: { queue: 0, connect: null, first_byte: null, total: null } });
  expect(shown([open])).toEqual(["web local-server: "]);
  // The Worker's hop cannot end before what it waited for.
  const skewed = row("web", 50, 40, { edge: hop(45, 20), listener: "tunnel" });
  expect(traceOf([skewed]).spans.map(({ start, end }) => [start, end])).toEqual([
    [45, 90],
    [50, 90],
  ]);
  expect(traceOf([])).toEqual({ start: 0, end: 0, spans: [], unseen: [] });
});
