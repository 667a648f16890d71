/**
 * A company's sessions in one Worker, with the real objects on workerd: created, visited, toggled, listed, and expired:
 *   npm run bench:scale [-- --sessions 10000]
 * Prints what each costs workerd as the number of sessions grows. The target is a flat curve: the last tenth of the sessions
 * costs at most half more than the first one after the warm-up.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { SessionPage } from "../../../core/api/worker-api.ts";
import { startWorker } from "../../../scripts/embedded-worker.mjs";
import { verdict } from "../verdict.ts";
import { cpuOf } from "../worker/cpu.ts";

const TOKEN = "token-of-the-benchmark";
const CONCURRENT = 16;
const STEPS = 10;
const PAGE = 500;
const WARM_UP = 200;
/** Of the last step against the first. */
const FLAT = 1.5;
/** Sessions of the last part, which expire while it is measured. */
const EXPIRING_S = 2;

const { values } = parseArgs({ options: { sessions: { type: "string", default: "10000" } } });
const step = Math.ceil(Number(values.sessions) / STEPS);
const upstream = fork(resolve(import.meta.dirname, "../worker/upstream.ts"));
const [port] = (await once(upstream, "message")) as [number];
const worker = await startWorker({ token: TOKEN, vars: { LINKUP_API_RATE: "10000000" } });
const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENT });

try {
  await bench();
} finally {
  agent.destroy();
  await worker.stop();
  upstream.disconnect();
}

async function bench(): Promise<void> {
  await measured(WARM_UP, (index) => upsert(`warm-${index}`, "web"));
  await measured(WARM_UP, (index) => visit(`warm-${index}`));
  const rows: Record<"create" | "visit" | "toggle", number>[] = [];
  console.log("CPU of workerd for each session, µs\n sessions   create    visit   toggle");
  for (let done = 0; done < step * STEPS; done += step) {
    const name = (index: number) => `s-${done + index}`;
    const row = {
      create: await measured(step, (index) => upsert(name(index), "web")),
      visit: await measured(step, (index) => visit(name(index))),
      toggle: await measured(step, (index) => upsert(name(index), "api")),
    };
    rows.push(row);
    const cells = Object.values(row).map((micros) => micros.toFixed(0).padStart(8));
    console.log(`${String(done + step).padStart(9)} ${cells.join(" ")}`);
  }

  const listed = await measured(1, async () => {
    const listed = await listAll();
    if (listed !== step * STEPS + WARM_UP) throw new Error(`${listed} sessions are listed.`);
  });
  console.log(`list of all ${step * STEPS + WARM_UP}: ${(listed / 1000).toFixed(1)} ms`);
  const expired = await measured(
    step,
    (index) => upsert(`short-${index}`, "web", EXPIRING_S),
    async () => {
      while ((await page({ name: "short-*", limit: "1" })).sessions.length > 0) await delay(200);
    },
  );
  console.log(`created and expired with all of them there: ${expired.toFixed(0)} µs each`);

  for (const what of ["create", "visit", "toggle"] as const) {
    const ratio = rows.at(-1)![what] / rows[0]![what];
    console.log(
      `${what}: ${ratio.toFixed(2)} × from the first to the last step, at most ${FLAT}: ${verdict(ratio <= FLAT)}`,
    );
  }
}

/** Runs it for 0 to `count` - 1, some at a time; returns microseconds of CPU for each. */
async function measured(
  count: number,
  act: (index: number) => Promise<unknown>,
  then: () => Promise<void> = async () => {},
): Promise<number> {
  const before = cpuOf(worker.pid);
  let next = 0;
  const one = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: CONCURRENT }, one));
  await then();
  return ((cpuOf(worker.pid) - before) * 1000) / count;
}

/** Counts the sessions, page by page. */
async function listAll(): Promise<number> {
  let count = 0;
  for (let after: string | undefined = ""; after !== undefined; ) {
    const { sessions, next } = await page({ after, limit: String(PAGE) });
    count += sessions.length;
    after = next;
  }
  return count;
}

async function page(query: Record<string, string>): Promise<SessionPage> {
  return JSON.parse(await call("GET", `/linkup/v2/sessions?${new URLSearchParams(query)}`));
}

function upsert(name: string, service: "web" | "api", expiresIn?: number): Promise<string> {
  const location = `http://127.0.0.1:${port}`;
  return call("POST", "/linkup/v2/sessions/preview", {
    services: [
      { name: "web", location },
      { name: "api", location },
    ],
    domains: [{ domain: "example.com", default_service: service }],
    desired_name: name,
    session_token: `token-of-${name}`,
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
  });
}

async function visit(name: string): Promise<void> {
  await ask({ path: "/", headers: { host: `${name}.example.com` } });
}

function call(method: string, path: string, body?: unknown): Promise<string> {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  return ask({ method, path, headers }, body && JSON.stringify(body));
}

/** The answer's body; rejects unless it is a 2xx. */
function ask(
  options: { method?: string; path: string; headers: Record<string, string> },
  body?: unknown,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const { hostname, port } = new URL(worker.url);
  request({ agent, hostname, port, ...options }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    response.on("end", () => {
      const isFine = response.statusCode! < 300;
      if (isFine) resolve(text);
      else reject(new Error(`${options.method ?? "GET"} ${options.path}: ${response.statusCode} ${text}`));
    });
  })
    .on("error", reject)
    .end(body as string | undefined);
  return promise;
}
