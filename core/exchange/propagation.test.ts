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

test("who called whom with the session, within one trace and in time", () => {
  const { services, lost } = propagation([
    row({}),
    row({ service: "api", time: 20 }),
    row({ service: "auth", time: 40, timings: { queue: 0, connect: null, first_byte: 1, total: 5 } }),
    row({ service: "auth", time: 500 }),
    row({ service: "api", trace: "other", time: 1 }),
  ]);
  expect(services).toEqual([
    { service: "api", received: 2, passedTo: ["auth"] },
    { service: "auth", received: 2, passedTo: [] },
    { service: "web", received: 1, passedTo: ["api", "auth"] },
  ]);
  expect(lost).toEqual([]);
});

test("who lost it, and what is missing", () => {
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
