import { expect, test } from "vitest";
import type { Exchange } from "../../core/api/request-log-api.ts";
import { propagationChecks } from "./propagation-check.ts";

const row = (more: Partial<Exchange>) =>
  ({
    method: "GET",
    client_host: "shop.example.com",
    target: "/",
    session: "slim-gecko",
    service: "web",
    trace: "1",
    time: Date.now(),
    timings: { queue: 0, connect: null, first_byte: 1, total: 100 },
    sender: null,
    lost_from: null,
    ...more,
  }) as Exchange;
const check = (rows: Exchange[]) => propagationChecks({ requests: async () => rows });
const lost = row({
  session: null,
  service: null,
  target: "/auth/whoami",
  lost_from: "slim-gecko",
  sender: "python-requests/2.32; it propagates traceparent, but not tracestate",
});

test("nothing is found without recorded requests or without a log", async () => {
  expect(await check([])).toEqual([]);
  expect(await check([row({ time: Date.now() - 24 * 3_600_000 })])).toEqual([]);
  expect(await propagationChecks({ requests: () => Promise.reject(new Error("ENOENT")) })).toEqual([]);
});

test("all is well while every request came with its session", async () => {
  expect(await check([row({})])).toMatchObject([{ id: "propagation", state: "ok" }]);
});

test("a service that lost the session is a warning with the fix for its language and the check that finds it", async () => {
  const [found, ...others] = await check([row({}), lost]);
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    id: "propagation",
    state: "warning",
    fixes: [{ command: "checkPropagation", terminal: "linkup check-propagation --probe" }],
  });
  expect(JSON.stringify(found)).toMatch(/\/auth\/whoami.*passes on traceparent, but not tracestate/);
  expect(JSON.stringify(found)).toContain("opentelemetry-instrument");
});
