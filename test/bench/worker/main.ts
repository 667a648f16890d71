/**
 * What the Worker costs, against a bare pass-through Worker on the same workerd, in turns:
 *   npm run bench:worker [-- --only warm,cold --seconds 60 --processes 2 --before FOLDER]
 * Prints as it goes. Rows: warm, cold, warm-large,
 * cold-large, private, watched, deployed; and websocket, toggle, bundle, start. `deployed` runs when it is named only. `--before`: also
 * the warm row of the Worker of another state, whose `worker.js` is in that folder, and today's against it. About five minutes for
 * all of them.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startWorker } from "../../../scripts/embedded-worker.mjs";
import { chosen } from "../chosen.ts";
import { mean, median, percentile, standardError } from "../statistics.ts";
import { verdict } from "../verdict.ts";
import { socketTimes, startUp, toggleTimes } from "./effects.ts";
import { forgetfulBundle } from "./forgetful.ts";
import { accessCookie, createSession, requestHead, TOKEN, watch } from "./sessions.ts";
import { type BenchRow, CONNECTIONS, cpuOfProcess, cpuOfRow, newRow, takeTurns } from "./turns.ts";

/** Of the CPU for a request: against that of `against`. */
const TARGETS: { row: string; against: string; target: number }[] = [
  { row: "warm", against: "pass-through", target: 1.12 },
  { row: "cold", against: "pass-through", target: 1.3 },
  { row: "warm-large", against: "pass-through", target: 1.12 },
  { row: "cold-large", against: "pass-through", target: 1.3 },
  { row: "private", against: "pass-through", target: 1.2 },
  { row: "watched", against: "warm", target: 1.3 },
];
const NAMES = [...TARGETS.map(({ row }) => row), "deployed", "websocket", "toggle", "bundle", "start"];

const { values } = parseArgs({
  options: {
    only: { type: "string", default: NAMES.filter((name) => name !== "deployed").join(",") },
    // Of the turns alone.
    seconds: { type: "string", default: "240" },
    // One costs up to 5 % more than another for as long as it lives: several of each are averaged.
    processes: { type: "string", default: "4" },
    before: { type: "string" },
  },
});
const wanted = new Set(chosen("--only", values.only, NAMES));
// A watched session is measured against a warm one, and so is what was before.
if (wanted.has("watched") || values.before !== undefined) wanted.add("warm");

const SESSION = "warm-gecko";
const LARGE = "large-gecko";
const PRIVATE = "private-gecko";
const WATCHED = "watched-gecko";
const BEFORE = "before";

const upstream = fork(resolve(import.meta.dirname, "upstream.ts"));
const [port] = (await once(upstream, "message")) as [number];
const UPSTREAM = `http://127.0.0.1:${port}`;
const folder = await mkdtemp(join(tmpdir(), "linkup-bench-"));
const PASS_THROUGH = { bundle: resolve(import.meta.dirname, "pass-through.mjs"), vars: { UPSTREAM } };
const COPYING = { ...PASS_THROUGH, bundle: resolve(import.meta.dirname, "copying.mjs") };
const ASKING = { ...PASS_THROUGH, bundle: resolve(import.meta.dirname, "asking.mjs") };
const OURS = { token: TOKEN };
type Worker = Awaited<ReturnType<typeof startWorker>>;
const started: Worker[] = [];

try {
  await bench();
} finally {
  await Promise.all(started.map((worker) => worker.stop()));
  await rm(folder, { recursive: true });
  upstream.disconnect();
}

async function bench(): Promise<void> {
  const check = (what: string, value: number, target: number, unit: string) =>
    console.log(
      `${what}: ${value.toFixed(2)} ${unit}, at most ${target} ${unit}: ${verdict(value <= target)}`,
    );
  if (wanted.has("bundle")) check("bundle", await bundleSize(), 385, "kB");
  if (wanted.has("start"))
    check("CPU of the start beyond pass-through's", await startUp(OURS, PASS_THROUGH), 20, "ms");

  const rows = await prepared();
  if (wanted.has("websocket")) await compareSockets();
  if (wanted.has("toggle")) {
    const [worker] = await start(OURS, 1);
    check("toggle to effect, median", median(await toggleTimes(worker!.url, UPSTREAM)), 1000, "ms");
  }
  if (rows.length === 1) return;

  await takeTurns(rows, Number(values.seconds), (round, left) => {
    const ratios = rows
      .slice(1)
      .map((row) => `${row.name} ${CONNECTIONS.map((count) => ratio(row, rows[0]!, count)).join(" ")}`);
    console.log(`round ${round}, ${left.toFixed(0)} s left: ${ratios.join(", ")}`);
  });
  console.log(
    `\n| Worker | connections | CPU per request (µs) | × pass-through | p50 (ms) | p99 (ms) |\n|---|---|---|---|---|---|`,
  );
  for (const row of rows)
    for (const count of CONNECTIONS) {
      const { times } = row.measured[count]!;
      const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)].map((ms) => ms.toFixed(2));
      console.log(
        `| ${[row.name, count, cpuOfRow(row, count).toFixed(0), ratio(row, rows[0]!, count), p50, p99].join(" | ")} |`,
      );
    }
  console.log("");
  for (const { row: name, against, target } of TARGETS) {
    const [row, base] = [name, against].map((name) => rows.find((row) => row.name === name));
    if (!row || !base) continue;
    for (const count of CONNECTIONS)
      check(
        `CPU of ${name} against ${against}, ${count} connections`,
        cpuOfRow(row, count) / cpuOfRow(base, count),
        target,
        "×",
      );
  }
  tellBefore(rows);
}

/** Today's warm row against that of the state before: each process with its like. */
function tellBefore(rows: readonly BenchRow[]): void {
  const [warm, before] = ["warm", BEFORE].map((name) => rows.find((row) => row.name === name));
  if (!warm || !before) return;
  for (const count of CONNECTIONS) {
    const ratios = warm.workers.map((_, n) => cpuOfProcess(warm, count, n) / cpuOfProcess(before, count, n));
    console.log(
      `CPU of warm against ${BEFORE}, ${count} connections: ${mean(ratios).toFixed(3)} × ± ${standardError(ratios).toFixed(3)}`,
    );
  }
}

function ratio(row: BenchRow, base: BenchRow, connections: number): string {
  return (cpuOfRow(row, connections) / cpuOfRow(base, connections)).toFixed(2);
}

async function start(options: Parameters<typeof startWorker>[0], count = Number(values.processes)) {
  const workers = await Promise.all(Array.from({ length: count }, () => startWorker(options)));
  started.push(...workers);
  return workers;
}

/** Starts what the rows need; the first row is the pass-through. */
async function prepared(): Promise<BenchRow[]> {
  const isWanted = (...names: string[]) => names.some((name) => wanted.has(name));
  const rows: BenchRow[] = [newRow("pass-through", await start(PASS_THROUGH), [])];
  const add = (name: string, workers: Worker[], heads: string[], isWatched = false) => {
    if (wanted.has(name)) rows.push(newRow(name, workers, heads, isWatched));
  };
  const same = (name: string) => Array<string>(Number(values.processes)).fill(requestHead(name));
  rows[0] = { ...rows[0]!, heads: same(SESSION) };

  if (isWanted("warm", "warm-large", "private", "watched")) {
    rows.push(newRow("pass-through that copies headers", await start(COPYING), same(SESSION)));
    const workers = await start(OURS);
    const cookies: string[] = [];
    for (const { url } of workers) {
      await createSession(url, SESSION, UPSTREAM);
      await createSession(url, LARGE, UPSTREAM, { size: "large" });
      await createSession(url, PRIVATE, UPSTREAM, { access: "private" });
      cookies.push(await accessCookie(url, PRIVATE));
      await createSession(url, WATCHED, UPSTREAM);
      if (isWanted("watched")) await watch(url, WATCHED);
    }
    add("warm", workers, same(SESSION));
    add("warm-large", workers, same(LARGE));
    add(
      "private",
      workers,
      cookies.map((cookie) => requestHead(PRIVATE, cookie)),
    );
    add("watched", workers, same(WATCHED), true);
  }
  if (values.before !== undefined) {
    const workers = await start({ ...OURS, bundle: resolve(values.before, "worker.js") });
    for (const { url } of workers) await createSession(url, SESSION, UPSTREAM);
    rows.push(newRow(BEFORE, workers, same(SESSION)));
  }
  if (isWanted("cold", "cold-large")) {
    rows.push(newRow("pass-through that asks an object", await start(ASKING), same(SESSION)));
    const workers = await start({ ...OURS, bundle: await forgetfulBundle(folder) });
    for (const { url } of workers) {
      await createSession(url, SESSION, UPSTREAM);
      await createSession(url, LARGE, UPSTREAM, { size: "large" });
    }
    add("cold", workers, same(SESSION));
    add("cold-large", workers, same(LARGE));
  }
  if (isWanted("deployed")) {
    // The upstream stands for the whole Internet.
    const workers = await start({
      ...OURS,
      internet: `127.0.0.1:${port}`,
      vars: { LINKUP_TUNNEL: "cloudflare", LINKUP_API_RATE: "100000" },
    });
    for (const { url } of workers) await createSession(url, SESSION, "http://web.example.org");
    add("deployed", workers, same(SESSION));
  }
  return rows;
}

async function compareSockets(): Promise<void> {
  for (const [name, options] of Object.entries({ "pass-through": PASS_THROUGH, ours: OURS })) {
    const [worker] = await start(options, 1);
    if (name === "ours") await createSession(worker!.url, SESSION, UPSTREAM);
    const [p50, p99] = await socketTimes(worker!.url, SESSION);
    console.log(
      `a WebSocket's message there and back, ${name}: ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`,
    );
  }
}

/** In kB. Builds it when it is not there, or older than its sources. */
async function bundleSize(): Promise<number> {
  const worker = await startWorker(OURS);
  await worker.stop();
  return statSync("dist/worker.js").size / 1000;
}
