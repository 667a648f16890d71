/**
 * What a user waits for: a real Chromium loads a page of 3,000 modules and a bundle of 50 MB, cold and again, straight from a
 * dev server, through the local server (as with local DNS: TLS and HTTP/2), and through the Worker on this machine. What TLS and
 * HTTP/2 take in the browser at all is told by the dev server with them, and what any proxy takes by nginx:
 *   npm run bench:page [-- --only modules,bundle] [--ways http2,nginx,ours,worker] [--rounds 5] [--before FOLDER]
 * Prints the medians with their quartiles, the ratios to straight, and whose CPU time it was. `--before`: also the local server of another state of the code, whose bundles are in this folder. Linux; it needs
 * Chromium and nginx.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "node:tls";
import { parseArgs } from "node:util";
import type { ServerStatus } from "../../../core/api/control-api.ts";
import { createAuthority, issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import { MALLOC, V8_OPTIONS } from "../../../manager/components/local-server/local-server.ts";
import { startWorker } from "../../../scripts/embedded-worker.mjs";
import { callControl } from "../../integration/local-server/harness.ts";
import { dist } from "../../support/bundles.ts";
import { chosen } from "../chosen.ts";
import { cpuSeconds } from "../proxy/cpu.ts";
import { startNginx } from "../proxy/stacks.ts";
import { median, percentile } from "../statistics.ts";
import { verdict } from "../verdict.ts";
import { Chromium } from "./chromium.ts";

/** Times straight from the dev server. */
const TARGET = 1.15;
const LOAD_TIMEOUT_MS = 60_000;
const DOMAIN = "shop.test";
const SESSION = "slim-gecko";
const LOADS = { modules: ["3,000 modules", "/"], bundle: ["50 MB", "/bundle.html"] } as const;
/** The first is always among those that are measured: the others are told as its multiple. */
const WAYS = ["straight", "http2", "nginx", "ours", "worker"] as const;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: Object.keys(LOADS).join() },
    ways: { type: "string", default: WAYS.join() },
    rounds: { type: "string", default: "5" },
    before: { type: "string" },
  },
});
const chosenLoads = chosen("--only", values.only, Object.keys(LOADS) as (keyof typeof LOADS)[]);
const chosenWays = chosen("--ways", values.ways, WAYS);
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), "linkup-bench-page-"));
const host = `${SESSION}.${DOMAIN}`;
const authority = await createAuthority([DOMAIN], Date.now());
const files = await writeLeaf();
const devServer = fork(resolve(import.meta.dirname, "dev-server.ts"), [files.certificate, files.key]);
const [[devPort, securePort]] = (await once(devServer, "message")) as [[number, number]];
const nginx = await startNginx({ directory: folder, ...files, upstream: devPort }, "0,1");
const ours = await startLocalServer("home", await dist());
const before = values.before === undefined ? undefined : await startLocalServer("before", values.before);
const worker = await startWorker({ token: "bench" });
await createSession();

interface Way {
  title: string;
  origin: string;
  /** The proxy's process. */
  pid?: number | undefined;
}

const ways: Record<(typeof WAYS)[number], Way> = {
  straight: { title: "straight", origin: `http://localhost:${devPort}` },
  http2: { title: "straight, TLS and HTTP/2", origin: `https://${host}:${securePort}` },
  nginx: { title: "nginx", origin: `https://${host}:${nginx.port}`, pid: nginx.process.pid },
  ours: { title: "local server", origin: `https://${host}:${ours.port}`, pid: ours.process.pid },
  worker: { title: "Worker", origin: `http://${host}:${new URL(worker.url).port}`, pid: worker.pid },
};
const wanted: Record<string, Way> = { straight: ways.straight };
for (const name of chosenWays) wanted[name] = ways[name];
if (before)
  wanted.before = { title: "before", origin: `https://${host}:${before.port}`, pid: before.process.pid };

const browser = new Chromium(folder, [
  `--host-resolver-rules=MAP *.${DOMAIN} 127.0.0.1`,
  // With a certificate that it does not trust, Chromium keeps nothing in its cache.
  `--ignore-certificate-errors-spki-list=${await trustedKeys()}`,
]);

interface Load {
  ms: number;
  /** Responses 304 of the dev server. */
  notModified: number;
  /** Seconds. */
  cpu: { browser: number; devServer: number; proxy: number };
}

try {
  await bench();
} finally {
  await browser.close();
  await worker.stop();
  for (const child of [ours.process, before?.process, nginx.process]) child?.kill();
  if (devServer.connected) devServer.disconnect();
  rmSync(folder, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  console.log(`medians of ${rounds} rounds (quartiles), against straight; CPU: browser + dev server + proxy`);
  for (const name of chosenLoads) {
    const [title, path] = LOADS[name];
    const loads = await measure(path);
    for (const [index, when] of ["cold", "again"].entries()) {
      const of = (way: string) => loads[way]!.map((pair) => pair[index]!);
      const straight = median(of("straight").map(({ ms }) => ms));
      for (const [way, { title: wayTitle }] of Object.entries(wanted)) {
        const line = summary(of(way), straight);
        const judged = way === "ours" ? `  at most ${TARGET}: ${verdict(line.ratio <= TARGET)}` : "";
        console.log(`${`${title}, ${when}`.padEnd(22)}${wayTitle.padEnd(26)}${line.text}${judged}`);
      }
    }
  }
}

/** The loads of each way, which take turns: cold, and again. */
async function measure(path: string): Promise<Record<string, [Load, Load][]>> {
  const loads = Object.fromEntries(Object.keys(wanted).map((way) => [way, [] as [Load, Load][]]));
  const order = Object.entries(wanted);
  // The first round is for the caches of the machine, and for V8 to compile.
  for (let round = 0; round <= rounds; round++)
    for (const [name, way] of shuffled(order)) {
      const pair = await loadTwice(`${way.origin}${path}`, way);
      console.error(
        `  round ${round}, ${way.title}: ${pair.map(({ ms }) => `${ms.toFixed(0)} ms`).join(", ")}`,
      );
      if (round > 0) loads[name]!.push(pair);
    }
  return loads;
}

/** In another order each time: what a load leaves in the machine meets all others. */
function shuffled<T>(values: T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

function summary(loads: Load[], straight: number) {
  const times = loads.map(({ ms }) => ms);
  const ratio = median(times) / straight;
  const [low, high] = [0.25, 0.75].map((part) => percentile(times, part).toFixed(0));
  const cpu = (of: keyof Load["cpu"]) => median(loads.map((load) => load.cpu[of]));
  const each = [cpu("browser"), cpu("devServer"), cpu("proxy")];
  const cores = each.reduce((sum, seconds) => sum + seconds, 0) / (median(times) / 1000);
  return {
    ratio,
    text:
      `${median(times).toFixed(0).padStart(5)} ms (${low}–${high}) ${ratio.toFixed(2)} ×  CPU ` +
      `${each.map((seconds) => seconds.toFixed(2)).join(" + ")} s, ${cores.toFixed(2)} cores, ${median(loads.map((load) => load.notModified))} × 304`,
  };
}

/** A first visit and a reload, by a new user. */
async function loadTwice(url: string, way: Way): Promise<[Load, Load]> {
  const tab = await browser.newTab();
  const load = async (navigate: () => Promise<number>): Promise<Load> => {
    const since = await counters(way);
    const ms = await navigate();
    const now = await counters(way);
    const cpu = {
      browser: now.browser - since.browser,
      devServer: now.devServer - since.devServer,
      proxy: now.proxy - since.proxy,
    };
    return { ms, notModified: now.notModified - since.notModified, cpu };
  };
  try {
    const cold = await load(() => tab.visit(url, LOAD_TIMEOUT_MS));
    return [cold, await load(() => tab.reload(LOAD_TIMEOUT_MS))];
  } finally {
    await tab.close();
  }
}

/** Seconds of CPU so far, and the dev server's responses 304. */
async function counters({ pid }: Way) {
  devServer.send("counters");
  const [notModified] = (await once(devServer, "message")) as [number];
  return {
    notModified,
    browser: cpuSeconds(browser.process.pid!),
    devServer: cpuSeconds(devServer.pid!),
    proxy: pid === undefined ? 0 : cpuSeconds(pid),
  };
}

/** The hashes of the public keys that the servers present, as Chromium wants them. */
async function trustedKeys(): Promise<string> {
  const ports = [securePort, ours.port, ...(before ? [before.port] : [])];
  const hashes = await Promise.all(
    ports.map(async (port) => {
      const socket = connect({ port, servername: host, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const { publicKey } = socket.getPeerX509Certificate()!;
      socket.destroy();
      return createHash("sha256")
        .update(publicKey.export({ type: "spki", format: "der" }))
        .digest("base64");
    }),
  );
  return hashes.join(",");
}

function session(location: string) {
  return {
    session_token: "bench",
    services: [{ name: "web", location }],
    domains: [{ domain: DOMAIN, default_service: "web" }],
  };
}

/** What the dev server and nginx present: files of a certificate and its key. */
async function writeLeaf() {
  const leaf = await issueLeaf(authority, DOMAIN, Date.now());
  const files = { certificate: join(folder, "leaf.crt.pem"), key: join(folder, "leaf.key.pem") };
  writeFileSync(files.certificate, leaf.certificate);
  writeFileSync(files.key, leaf.key, { mode: 0o600 });
  return files;
}

/** `name`: of its home below the folder; `code`: the folder of its bundles. */
async function startLocalServer(
  name: string,
  code: string,
): Promise<{ process: ChildProcess; port: number }> {
  const home = join(folder, name);
  const certificates = join(home, "certificates");
  mkdirSync(certificates, { recursive: true });
  writeFileSync(join(certificates, "authority.crt.pem"), authority.certificate);
  writeFileSync(join(certificates, "authority.key.pem"), authority.key, { mode: 0o600 });
  const bundles = join(folder, `${name}-dist`);
  cpSync(code, bundles, { recursive: true });
  const child = spawn(
    process.execPath,
    [...V8_OPTIONS, join(bundles, "local-server.js"), "--home", home, "--browser-port", "0"],
    { env: { ...process.env, ...MALLOC }, stdio: "ignore" },
  );
  for (;;) {
    try {
      const { body } = await callControl(home, "GET", "/v1/status");
      await callControl(home, "PUT", "/v1/leases/bench", { ttl_ms: null });
      const document = {
        session: session(`http://localhost:${devPort}`),
        origin_secret: null,
        config_path: null,
      };
      const { status } = await callControl(home, "PUT", `/v1/sessions/${SESSION}`, document);
      if (status !== 200) throw new Error("The local server refused the session.");
      return { process: child, port: (body as ServerStatus).browser_port! };
    } catch (error) {
      if (child.exitCode !== null) throw error;
      await delay(20);
    }
  }
}

async function createSession(): Promise<void> {
  const response = await fetch(`${worker.url}/linkup/v2/sessions/preview`, {
    method: "POST",
    headers: { authorization: "Bearer bench", "content-type": "application/json" },
    body: JSON.stringify({ ...session(`http://127.0.0.1:${devPort}`), desired_name: SESSION }),
  });
  if (!response.ok) throw new Error(`The Worker refused the session: ${await response.text()}`);
}
