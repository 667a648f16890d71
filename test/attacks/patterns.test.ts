/** Regular expressions and paths that cost a server more than a request should. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startLocalServer } from "../integration/local-server/harness.ts";
import {
  apiOf,
  type ReceivedResponse,
  type StartedService,
  send,
  startService,
  startWorker,
} from "../integration/worker/world.ts";

/** Each is slow on a path of many a and b, in a way of its own. */
const SLOW = [
  (i: number) => `a.*b.*c${i}`,
  (i: number) => `(?:a*b*)*c${i}`,
  (i: number) => `(a|b)*\\1x${i}`,
  (i: number) => `(?=.*a.*b.*c${i})a`,
];
const LONG_PATH = `/${"ab".repeat(7_000)}`;
/** On a loaded machine; without one budget for all patterns it took 17 s on a quiet one. */
const LIMIT_MS = 8_000;

interface Server {
  /** Saves a session with these routes; the status of the answer. */
  put(name: string, routes: string[]): Promise<number>;
  get(name: string, path: string): Promise<ReceivedResponse>;
}

let service: StartedService;
let local: RunningServer;
let worker: Awaited<ReturnType<typeof startWorker>>;
const servers: Record<string, Server> = {};

function session(routes: string[], domain: string) {
  return {
    session_token: "t",
    services: [{ name: "web", location: service.url }],
    domains: [{ domain, default_service: "web", routes: routes.map((path) => ({ path, service: "web" })) }],
  };
}

beforeAll(async () => {
  [service, local, worker] = await Promise.all([startService("web"), startLocalServer(), startWorker()]);
  const api = apiOf(worker.url);
  servers["the local server"] = {
    put: async (name, routes) =>
      (
        await local.control("PUT", `/v1/sessions/${name}`, {
          session: { kind: "isolated", ...session(routes, "shop.localhost") },
          origin_secret: null,
          config_path: null,
        })
      ).status,
    get: (name, path) =>
      send(`http://127.0.0.1:${local.status.browser_port}`, path, {
        headers: { host: `${name}.shop.localhost` },
      }),
  };
  servers["the Worker"] = {
    put: async (name, routes) =>
      (
        await api("POST", "/linkup/v2/sessions/preview", {
          ...session(routes, "example.com"),
          desired_name: name,
        })
      ).status,
    get: (name, path) => send(worker.url, path, { headers: { host: `${name}.example.com` } }),
  };
});
afterAll(async () => {
  await Promise.all([local[Symbol.asyncDispose](), worker.stop(), service.stop()]);
});

describe.each(["the local server", "the Worker"])("at %s", (where) => {
  test("five thousand routes in one session", async () => {
    expect(
      await servers[where]!.put(
        "many-routes",
        Array.from({ length: 5_000 }, (_, i) => `a.*b.*c${i}`),
      ),
    ).toBe(400);
  });

  test("slow routes and a path of 14 KB, to block the other sessions", async () => {
    const server = servers[where]!;
    const routes = Array.from({ length: 2_000 }, (_, i) => SLOW[i % SLOW.length]!(i));
    expect(await server.put("slow-routes", routes)).toBe(200);
    expect(await server.put("calm-routes", ["^/api/"])).toBe(200);
    expect((await server.get("calm-routes", "/")).status).toBe(200);
    const before = performance.now();
    const attack = server.get("slow-routes", LONG_PATH);
    const others = await Promise.all(Array.from({ length: 3 }, () => server.get("calm-routes", "/api/")));
    expect(others.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await attack).status).toBe(200);
    expect(performance.now() - before).toBeLessThan(LIMIT_MS);
  });

  test("a path that is too long for routes, to get past them to the default service", async () => {
    const server = servers[where]!;
    const answer = await server.get("calm-routes", `/api/${"a".repeat(16_384)}`);
    expect(answer.status).toBe(414);
    expect(answer.headers["linkup-error"]).toBe("path-too-long");
    expect((await server.get("calm-routes", `/api/?${"a".repeat(4_000)}`)).status).toBe(200);
  });
});
