/** Changes of the routing that invited people ask for, at a Worker that fails when it is told what became of one. */
import { expect, test } from "vitest";
import type { ServerStatus } from "../../../core/api/control-api.ts";
import type { RoutingRequest } from "../../../core/api/routing-requests-api.ts";
import type { Config } from "../../../core/config/model/config-model.ts";
import { newRecord } from "../../../manager/model/records.ts";
import { emptyState, type State } from "../../../manager/model/state.ts";
import { RoutingRequestFollower } from "../../../manager/reconcile/routing-request-follower.ts";
import type { SessionReconciler } from "../../../manager/reconcile/session-reconciler.ts";
import type { Store } from "../../../manager/store/store.ts";
import { startService } from "../worker/world.ts";

/** The owner's machine, and a Worker with these changes; `answer` says how it takes what became of one. */
async function owner(waiting: RoutingRequest[], answer: (error: string | null) => number) {
  const worker = await startService("worker", async (request, response) => {
    if (request.method === "GET") return void response.end(JSON.stringify({ requests: waiting }));
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const status = answer(JSON.parse(Buffer.concat(parts).toString()).error);
    if (status === 204) waiting.shift();
    response.writeHead(status).end();
  });
  const config: Config = {
    linkup: { worker_url: worker.url, cache_routes: [] },
    services: [
      { name: "web", remote: "https://example.com", local: "http://localhost:1", rewrites: [], health: {} },
    ],
    domains: [{ domain: "example.com", default_service: "web", routes: [] }],
  };
  const record = {
    ...newRecord("tunneled", config),
    name: "slim-gecko",
    desired: "running",
    confirmed: "seen",
    may_route_until: Number.MAX_SAFE_INTEGER,
    worker: { version: "1", capabilities: ["routing-requests"] },
  } as unknown as State["sessions"][number];
  const state: State = { ...emptyState(), sessions: [record] };
  const store = { change: async (by: (state: State) => unknown) => by(state) } as unknown as Store;
  const sessions = { route: async () => {} } as unknown as SessionReconciler;
  const log: string[] = [];
  const run = async () => {
    // Each looks at once, and remembers what the one before has made.
    const before = performance.now;
    performance.now = () => before.call(performance) + 10_000 * ++rounds;
    try {
      await follower.run([record], {} as ServerStatus, Date.now());
    } finally {
      performance.now = before;
    }
  };
  let rounds = 0;
  const follower = new RoutingRequestFollower(store, sessions, (line) => log.push(line));
  return { run, record, log, stop: worker.stop };
}

const request = (id: string, service: string): RoutingRequest => ({
  id,
  services: { [service]: "local" },
  by: "Ana",
  at: 0,
});

test("a change of which the Worker could not be told is not made again over the owner's toggle", async () => {
  const statuses = [500, 204];
  const { run, record, log, stop } = await owner([request("one", "web")], () => statuses.shift()!);
  try {
    await run();
    expect(record.targets.web).toBe("local");
    record.targets = { web: "remote" };
    await run();
    expect([record.targets.web, statuses]).toEqual(["remote", []]);
    expect(log.filter((line) => line.includes("Ana routed"))).toHaveLength(1);
  } finally {
    await stop();
  }
});

test("a failure with many words does not hold up the change after it", async () => {
  const told: (string | null)[] = [];
  const { run, record, stop } = await owner(
    [request("one", "x".repeat(1_500)), request("two", "web")],
    (error) => {
      told.push(error);
      return (error?.length ?? 0) > 1_000 ? 400 : 204;
    },
  );
  try {
    await run();
    expect(told.map((error) => error?.length ?? 0)).toEqual([1_000, 0]);
    expect(record.targets.web).toBe("local");
  } finally {
    await stop();
  }
});
