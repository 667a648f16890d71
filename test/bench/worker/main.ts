/**
 * What the Worker costs, against a bare pass-through Worker on the same workerd, in turns:
 *   npm run bench:worker
 *   npm run bench:worker -- --watched    (only what it costs that somebody watches: four minutes)
 * Prints a table and exits 0 only when every target is met.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { build } from "esbuild";
import { WebSocket } from "ws";
import { startWorker } from "../../../scripts/embedded-worker.mjs";
import { median, percentile } from "../statistics.ts";
import { cpuOf } from "./cpu.ts";
import { run } from "./load.ts";

/** One process of the same Worker costs up to 5 % more than another for as long as it lives: several of each are averaged. */
const PROCESSES = 4;
/** Short and many: some fall into a time when nothing else runs. */
const ROUNDS = 40;
const REQUESTS = 400;
/** Rounds before those, in which V8 compiles. */
const WARM_UP = 3;
/** Of a watched session: fewer than one isolate reports in a second, so that each is reported. */
const WATCHED_REQUESTS = 250;
const WATCHED_ROUNDS = 12;
const ROWS = [1, 32];
/** Deployed Workers refuse shorter ones. */
const TOKEN = "token-of-the-benchmark";
const SESSION = "warm-gecko";

const onlyWatched = process.argv.includes("--watched");
const upstream = fork(resolve(import.meta.dirname, "upstream.ts"));
const [port] = (await once(upstream, "message")) as [number];
const UPSTREAM = `http://127.0.0.1:${port}`;
const passThrough = { bundle: resolve(import.meta.dirname, "pass-through.mjs"), vars: { UPSTREAM } };
const forgetfulCode = await forgetfulBundle();
const bare = onlyWatched ? [] : await startAll(passThrough);
const ours = await startAll({ token: TOKEN });
/** As it is deployed: the upstream stands for the whole Internet. */
const deployed = onlyWatched
  ? []
  : await startAll({
      token: TOKEN,
      internet: `127.0.0.1:${port}`,
      vars: { LINKUP_TUNNEL: "cloudflare", LINKUP_API_RATE: "100000" },
    });
const forgetful = onlyWatched ? [] : await startAll({ token: TOKEN, bundle: forgetfulCode });
const watched = await startAll({ token: TOKEN });
await rm(dirname(forgetfulCode), { recursive: true });

try {
  for (const worker of [...ours, ...watched]) await createSession(worker, SESSION);
  const checks = [...(onlyWatched ? [] : await bench()), ...(await watchedChecks())];
  process.exitCode = told(checks) ? 0 : 1;
} finally {
  await Promise.all([...bare, ...ours, ...deployed, ...forgetful, ...watched].map((worker) => worker.stop()));
  upstream.disconnect();
}

async function bench(): Promise<Check[]> {
  for (const worker of forgetful) await createSession(worker, SESSION);
  for (const worker of deployed) await createSession(worker, SESSION, "http://web.example.org");

  const kinds = [
    { name: "pass-through", workers: bare, rows: ROWS.map(newRow) },
    { name: "warm session", workers: ours, rows: ROWS.map(newRow) },
    { name: "cold session", workers: forgetful, rows: ROWS.map(newRow) },
    { name: "warm session, deployed", workers: deployed, rows: ROWS.map(newRow) },
  ];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (let process = 0; process < PROCESSES; process++) {
      for (const { workers, rows } of kinds) {
        const { url, pid } = workers[process]!;
        for (const { connections, cpu, times } of rows) {
          // The turns of the others have taken longer than a session stays warm without requests.
          await run({ url, connections: 1, requests: 1, head });
          const before = cpuOf(pid);
          const taken = await run({ url, connections, requests: REQUESTS, head });
          if (round < 0) continue;
          cpu[process]!.push(((cpuOf(pid) - before) * 1000) / REQUESTS);
          times.push(...taken);
        }
      }
    }
  }

  const checks: Check[] = [];
  const [base, ...measured] = kinds;
  console.log(
    "\n| Worker | connections | CPU per request (µs) | p50 (ms) | p99 (ms) |\n|---|---|---|---|---|",
  );
  for (const { name, rows } of kinds) {
    for (const { connections, cpu, times } of rows) {
      const figures = [undisturbed(cpu), percentile(times, 0.5), percentile(times, 0.99)];
      console.log(
        `| ${[name, connections, figures[0]!.toFixed(0), figures[1]!.toFixed(2), figures[2]!.toFixed(2)].join(" | ")} |`,
      );
    }
  }
  console.log(
    `| WebSocket, pass-through | 1 | | ${(await socketTimes(bare[0]!.url)).map((ms) => ms.toFixed(2)).join(" | ")} |`,
  );
  console.log(
    `| WebSocket, ours | 1 | | ${(await socketTimes(ours[0]!.url)).map((ms) => ms.toFixed(2)).join(" | ")} |`,
  );

  for (const [index, target] of [1.15, 1.5].entries()) {
    const { name, rows } = measured[index]!;
    for (const [r, { connections, cpu }] of rows.entries()) {
      checks.push({
        what: `CPU of a ${name} against pass-through, ${connections} connections`,
        value: undisturbed(cpu) / undisturbed(base!.rows[r]!.cpu),
        target,
        unit: "×",
      });
    }
  }
  checks.push({
    what: "toggle to effect, median",
    value: median(await toggleTimes()),
    target: 1000,
    unit: "ms",
  });
  checks.push({ what: "bundle", value: statSync("dist/worker.js").size / 1000, target: 150, unit: "kB" });
  checks.push({ what: "start-up CPU beyond pass-through's", value: await startUp(), target: 20, unit: "ms" });
  return checks;
}

/** What it costs that somebody watches the session, against the same Worker unwatched, in turns. */
async function watchedChecks(): Promise<Check[]> {
  for (const { url } of watched) await watch(url, SESSION);
  const [unwatched, seen] = [ours, watched].map((workers) => ({ workers, rows: ROWS.map(newRow) }));
  for (let round = -WARM_UP; round < WATCHED_ROUNDS; round++)
    for (let process = 0; process < PROCESSES; process++)
      for (const { workers, rows } of [unwatched!, seen!]) {
        const { url, pid } = workers[process]!;
        for (const { connections, cpu } of rows) {
          await nextSecond();
          await run({ url, connections: 1, requests: 1, head });
          const before = cpuOf(pid);
          await run({ url, connections, requests: WATCHED_REQUESTS, head });
          // The last batch goes after its responses.
          await delay(150);
          if (round >= 0) cpu[process]!.push(((cpuOf(pid) - before) * 1000) / WATCHED_REQUESTS);
        }
      }
  return seen!.rows.map(({ connections, cpu }, r) => {
    const [base, cost] = [undisturbed(unwatched!.rows[r]!.cpu), undisturbed(cpu)];
    console.log(
      `watched session, ${connections} connections: ${cost.toFixed(0)} µs against ${base.toFixed(0)} µs`,
    );
    return {
      what: `CPU of a watched session against a warm one, ${connections} connections`,
      value: cost / base,
      target: 1.3,
      unit: "×",
    };
  });
}

/** Reports are counted by the second. */
function nextSecond(): Promise<void> {
  return delay(1_010 - (Date.now() % 1_000));
}

/** Prints the table; true when every target is met. */
function told(checks: Check[]): boolean {
  console.log("\n| target | at most | measured | |\n|---|---|---|---|");
  for (const { what, value, target, unit } of checks) {
    const met = value <= target ? "met" : "MISSED";
    console.log(`| ${what} | ${target} ${unit} | ${value.toFixed(2)} ${unit} | ${met} |`);
  }
  return checks.every(({ value, target }) => value <= target);
}

/** Somebody who watches the session: ends with this process. */
async function watch(url: string, name: string): Promise<void> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/linkup/v2/sessions/${name}/watch`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  await once(socket, "open");
}

/** The Worker, but remembering no session: every request asks its session's object, or waits for one that does. */
async function forgetfulBundle(): Promise<string> {
  const outfile = join(await mkdtemp(join(tmpdir(), "linkup-bench-")), "worker.js");
  await build({
    entryPoints: ["worker/index.ts"],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    plugins: [
      {
        name: "forgetful",
        setup({ onLoad }) {
          onLoad({ filter: /worker.proxy.session-lookup\.ts$/ }, async ({ path }) => {
            const source = await readFile(path, "utf8");
            const contents = source.replace("FRESH_MS = 1000", "FRESH_MS = 0");
            if (contents === source) throw new Error(`${path} has changed: FRESH_MS is not found`);
            return { contents, loader: "ts" };
          });
        },
      },
    ],
  });
  return outfile;
}

function startAll(options: Parameters<typeof startWorker>[0]) {
  return Promise.all(Array.from({ length: PROCESSES }, () => startWorker(options)));
}

/** A request for a file of a page, as Chrome sends it. */
function head(): string {
  return [
    "GET /assets/index-B2xk1.js?v=1 HTTP/1.1",
    `Host: ${SESSION}.example.com`,
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Accept: */*",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: no-cors",
    "Sec-Fetch-Dest: script",
    `Referer: https://${SESSION}.example.com/app/dashboard`,
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9",
    "Cookie: sid=s%3A0f8fad5bd9cb469fa16570867728950e; _ga=GA1.1.1403208452.1710268946; theme=dark",
    "\r\n",
  ].join("\r\n");
}

interface Check {
  what: string;
  value: number;
  target: number;
  unit: string;
}

/** What else runs on the machine only ever adds: the lower rounds of each process are the truer ones. */
function undisturbed(cpu: number[][]): number {
  return cpu.reduce((sum, rounds) => sum + percentile(rounds, 0.1), 0) / cpu.length;
}

/** `cpu`: of each process, microseconds for a request in each round. */
function newRow(connections: number) {
  return { connections, cpu: Array.from({ length: PROCESSES }, (): number[] => []), times: [] as number[] };
}

async function createSession(worker: { url: string }, name: string, location = UPSTREAM): Promise<void> {
  const response = await fetch(`${worker.url}/linkup/v2/sessions/preview`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({
      desired_name: name,
      session_token: "bench",
      services: [
        { name: "web", location, rewrites: [{ source: "^/old/(.*)", target: "/$1" }] },
        { name: "api", location },
      ],
      domains: [
        { domain: "example.com", default_service: "web", routes: [{ path: "^/api/.*", service: "api" }] },
        { domain: "api.example.com", default_service: "api" },
      ],
    }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

/** p50 and p99 of a message there and back, in milliseconds. */
async function socketTimes(url: string): Promise<[number, number]> {
  const socket = new WebSocket(url.replace("http", "ws"), {
    headers: { host: `${SESSION}.example.com` },
    perMessageDeflate: false,
  });
  await once(socket, "open");
  const times: number[] = [];
  for (let n = 0; n < 3000; n++) {
    const started = performance.now();
    socket.send("message");
    await once(socket, "message");
    times.push(performance.now() - started);
  }
  socket.close();
  await once(socket, "close");
  return [percentile(times, 0.5), percentile(times, 0.99)];
}

/** From the call that changes a session to the first request that follows it, asked for without a pause. */
async function toggleTimes(): Promise<number[]> {
  const other = fork(resolve(import.meta.dirname, "upstream.ts"));
  const [otherPort] = (await once(other, "message")) as [number];
  const times: number[] = [];
  const locations = [`http://127.0.0.1:${otherPort}`, "http://127.0.0.1:1", UPSTREAM, "http://127.0.0.1:1"];
  let reachable = true;
  for (let n = 0; n < 40; n++) {
    const location = locations[n % locations.length]!;
    const started = performance.now();
    await createSession(ours[0]!, "toggled", location);
    const wanted = !location.endsWith(":1");
    if (n > 0 && wanted !== reachable) {
      while ((await isReachable("toggled")) !== wanted);
      times.push(performance.now() - started);
    }
    reachable = wanted;
  }
  other.disconnect();
  return times;
}

async function isReachable(session: string): Promise<boolean> {
  const head = () => `GET / HTTP/1.1\r\nHost: ${session}.example.com\r\n\r\n`;
  return run({ url: ours[0]!.url, connections: 1, requests: 1, head }).then(
    () => true,
    () => false,
  );
}

/** CPU in milliseconds from the start of workerd until it listens, by which time it has run the Worker's code. */
async function startUp(): Promise<number> {
  const start = async (options: object) => {
    const worker = await startWorker(options);
    const used = cpuOf(worker.pid);
    await worker.stop();
    return used;
  };
  const differences: number[] = [];
  for (let n = 0; n < 9; n++) {
    const without = await start(passThrough);
    differences.push((await start({ token: TOKEN })) - without);
  }
  return median(differences);
}
