import { expect, test } from "vitest";
import { BUSY_INTERVAL_MS, IDLE_INTERVAL_MS, intervalMs, isAtRest } from "./at-rest.ts";
import { newConnector } from "./connector.ts";
import { problem } from "./problem.ts";
import { newRecord } from "./records.ts";
import { emptyState, type SessionRecord, type State } from "./state.ts";

const CONFIG = { linkup: { worker_url: "https://worker.example.com" }, services: [], domains: [] } as never;
const broken = problem("worker-failed", "It broke.");

function running(more: Partial<SessionRecord> = {}): SessionRecord {
  return newRecord("tunneled", CONFIG, { desired: "running", confirmed: {}, ...more });
}

function stateOf(sessions: SessionRecord[], more: Partial<State> = {}): State {
  return { ...emptyState(), sessions, ...more };
}

const ready = { ...newConnector(), ready: true, reached: true };

test.each<[string, State]>([
  ["no session", stateOf([])],
  ["a remembered session", stateOf([newRecord("tunneled", CONFIG)])],
  ["a session that is confirmed everywhere", stateOf([running({ connector: ready })])],
  ["a session without a tunnel", stateOf([running()])],
])("%s: at rest", (_, state) => {
  expect(isAtRest(state)).toBe(true);
});

test.each<[string, State]>([
  ["a session that nobody has confirmed yet", stateOf([running({ confirmed: null })])],
  ["a session that is being stopped", stateOf([running({ desired: "stopped", worker_hash: "x" })])],
  [
    "a session that waits for its next try",
    stateOf([running({ last_error: { problem: broken, failures: 1, retry_at: 1 } })]),
  ],
  ["a tunnel that is not ready", stateOf([running({ connector: newConnector() })])],
  ["a tunnel that lost a request", stateOf([running({ connector: { ...ready, lost: 1 } })])],
  ["a tunnel that failed", stateOf([running({ connector: { ...ready, problem: broken } })])],
  [
    "a local server that failed",
    stateOf([], { local_server: { ...emptyState().local_server, problem: broken } }),
  ],
  ["local DNS that failed", stateOf([], { local_dns: { ...emptyState().local_dns, problem: broken } })],
])("%s: busy", (_, state) => {
  expect(isAtRest(state)).toBe(false);
});

test("a deletion that the Worker has not confirmed: busy", () => {
  const pending = {
    name: "a",
    worker_url: "",
    worker_token: "",
    ended: 0,
    problem: broken,
    failures: 1,
    retry_at: 0,
  };
  expect(isAtRest(stateOf([], { pending_deletions: [pending] }))).toBe(false);
});

test("rounds are rare at rest, and come within seconds while somebody may route by an invite", () => {
  expect(intervalMs(stateOf([running()]), 1_000)).toBe(IDLE_INTERVAL_MS);
  expect(intervalMs(stateOf([running({ may_route_until: 999 })]), 1_000)).toBe(IDLE_INTERVAL_MS);
  expect(intervalMs(stateOf([running({ may_route_until: 1_001 })]), 1_000)).toBe(2_000);
  expect(intervalMs(stateOf([running({ may_route_until: 1_001, confirmed: null })]), 1_000)).toBe(
    BUSY_INTERVAL_MS,
  );
  // A session that was stopped is asked for nothing.
  const stopped = newRecord("tunneled", CONFIG, { may_route_until: 1_001 });
  expect(intervalMs(stateOf([stopped]), 1_000)).toBe(IDLE_INTERVAL_MS);
});
