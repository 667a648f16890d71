import { expect, test } from "vitest";
import type { Exchange } from "../api/request-log-api.ts";
import { propagation } from "./propagation.ts";

function row(more: Partial<Exchange>): Exchange {
  return {
    method: "GET",
    client_host: "a.example",
    target: "/x?y=1",
    session: "s",
    service: "web",
    trace: "t",
    time: 0,
    timings: { queue: 0, connect: null, first_byte: 1, total: 100 },
    sender: null,
    lost_from: null,
    ...more,
  } as Exchange;
}

test("calls with the session are found within one trace and the time window", () => {
  const { services, lost } = propagation([
    row({}),
    row({ service: "api", time: 20 }),
    row({ service: "auth", time: 40, timings: { queue: 0, connect: null, first_byte: 1, total: 5 } }),
    row({ service: "auth", time: 500 }),
    row({ service: "api", trace: "other", time: 1 }),
  ]);
  expect(services).toEqual([
    { service: "api", received: 2, passedTo: ["auth"], lost: 0 },
    { service: "auth", received: 2, passedTo: [], lost: 0 },
    { service: "web", received: 1, passedTo: ["api", "auth"], lost: 0 },
  ]);
  expect(lost).toEqual([]);
});

test("the service that lost the session, and what is missing", () => {
  const none = { session: null, service: null };
  const half = "billing/1.0; it propagates traceparent, but not tracestate";
  const { lost } = propagation([
    row({ ...none, lost_from: "s", sender: half }),
    row({ ...none, lost_from: "s", sender: half, target: "/z" }),
    row({ ...none, sender: "curl; its tracestate names no running session" }),
    row({ ...none, sender: "python-requests/2.32" }),
  ]);
  expect(lost.map(({ how, count, request }) => [how, count, request])).toEqual([
    ["traceparent-only", 2, "GET a.example/z"],
    ["invalid-member", 1, "GET a.example/x"],
    ["nothing", 1, "GET a.example/x"],
  ]);
});

test("the service that lost it is the one that was serving the trace then", () => {
  const none = { session: null, service: null, lost_from: "s", sender: "node" };
  const { services, lost } = propagation([
    row({}),
    row({ service: "api", time: 20, timings: { queue: 0, connect: null, first_byte: 50, total: 50 } }),
    row({ ...none, time: 40 }),
    row({ ...none, time: 500, trace: "unknown" }),
  ]);
  expect(services.map(({ service, lost }) => [service, lost])).toEqual([
    ["api", 1],
    ["web", 0],
  ]);
  expect(lost.map(({ service, count }) => [service, count])).toEqual([
    ["api", 1],
    [null, 1],
  ]);
});
