/**
 * What a user waits for: a real Chromium loads a page of 3,000 modules and a bundle of 50 MB, cold and again, straight from a
 * dev server, through the local server (as with local DNS: TLS and HTTP/2), and through the Worker on this machine:
 *   npm run bench:page [-- --rounds 5]
 * Prints the medians and the ratios to straight, and exits 0 only when the target is met. It needs Chromium.
 */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Browser } from "playwright-core";
import type { ServerStatus } from "../../../core/api/control-api.ts";
import { createAuthority } from "../../../core/certificates/certificate-authority.ts";
import { MALLOC, V8_OPTIONS } from "../../../manager/components/local-server/local-server.ts";
import { startWorker } from "../../../scripts/embedded-worker.mjs";
import { newContext } from "../../e2e/browser.ts";
import { callControl } from "../../integration/local-server/harness.ts";
import { dist } from "../../support/bundles.ts";
import { median } from "../statistics.ts";

/** Times straight from the dev server. */
const TARGET = 1.15;
const LOAD_TIMEOUT_MS = 120_000;
const DOMAIN = "shop.test";
const SESSION = "slim-gecko";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), "linkup-bench-page-"));
const devServer = fork(resolve(import.meta.dirname, "dev-server.ts"));
const [devPort] = (await once(devServer, "message")) as [number];
const localServer = await startLocalServer();
const worker = await startWorker({ token: "bench" });
await createSession();
const resolver = `--host-resolver-rules=MAP *.${DOMAIN} 127.0.0.1`;
const browser = (await newContext(folder, { width: 1200, height: 800 }, [resolver])).browser()!;

const host = `${SESSION}.${DOMAIN}`;
const ways = {
  straight: `http://localhost:${devPort}`,
  "local server": `https://${host}:${localServer.port}`,
  Worker: `http://${host}:${new URL(worker.url).port}`,
};
const loads = { "3,000 modules": "/", "50 MB": "/bundle.html" };

try {
  process.exitCode = (await bench(browser)) ? 0 : 1;
} finally {
  await browser.close();
  await worker.stop();
  localServer.process.kill();
  devServer.disconnect();
  rmSync(folder, { recursive: true, force: true });
}

async function bench(browser: Browser): Promise<boolean> {
  const times = new Map<string, number[]>();
  // The first round is for the caches of the machine, and for V8 to compile.
  for (let round = 0; round <= rounds; round++)
    for (const [load, path] of Object.entries(loads))
      for (const [way, origin] of Object.entries(ways)) {
        const [cold, again] = await loadTwice(browser, `${origin}${path}`);
        if (round === 0) continue;
        for (const [when, ms] of [
          ["cold", cold],
          ["again", again],
        ] as const) {
          const key = `${load}, ${when}|${way}`;
          times.set(key, [...(times.get(key) ?? []), ms]);
        }
      }

  let isMet = true;
  console.log(`medians of ${rounds} rounds, ms; against straight`);
  for (const load of Object.keys(loads))
    for (const when of ["cold", "again"]) {
      const of = (way: string) => median(times.get(`${load}, ${when}|${way}`)!);
      const straight = of("straight");
      const cells = Object.keys(ways).map((way) => {
        const ratio = of(way) / straight;
        if (way === "local server" && ratio > TARGET) isMet = false;
        const missed = way === "local server" && ratio > TARGET ? " MISSED" : "";
        return `${way} ${of(way).toFixed(0)}${way === "straight" ? "" : ` (${ratio.toFixed(2)} ×${missed})`}`;
      });
      console.log(`${`${load}, ${when}`.padEnd(24)} ${cells.join("   ")}`);
    }
  return isMet;
}

/** Milliseconds of a first visit and of a reload, in a new profile. */
async function loadTwice(browser: Browser, url: string): Promise<[number, number]> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  try {
    const tab = await context.newPage();
    let finished: (ms: number) => void = () => {};
    await tab.exposeFunction("reportMs", (ms: number) => finished(ms));
    await tab.addInitScript("window.finished = () => window.reportMs(performance.now())");
    const timed = async (navigate: () => Promise<unknown>) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      finished = resolve;
      const timer = setTimeout(() => reject(new Error(`${url} did not load.`)), LOAD_TIMEOUT_MS);
      await navigate();
      return promise.finally(() => clearTimeout(timer));
    };
    const cold = await timed(() => tab.goto(url, { timeout: LOAD_TIMEOUT_MS, waitUntil: "commit" }));
    // What is loaded is written to the browser's cache meanwhile.
    await tab.waitForLoadState("load");
    return [cold, await timed(() => tab.reload({ timeout: LOAD_TIMEOUT_MS, waitUntil: "commit" }))];
  } finally {
    await context.close();
  }
}

function session(location: string) {
  return {
    session_token: "bench",
    services: [{ name: "web", location }],
    domains: [{ domain: DOMAIN, default_service: "web" }],
  };
}

async function startLocalServer() {
  const home = join(folder, "home");
  const certificates = join(home, "certificates");
  mkdirSync(certificates, { recursive: true });
  const authority = await createAuthority([DOMAIN], Date.now());
  writeFileSync(join(certificates, "authority.crt.pem"), authority.certificate);
  writeFileSync(join(certificates, "authority.key.pem"), authority.key, { mode: 0o600 });
  const bundles = join(folder, "dist");
  cpSync(await dist(), bundles, { recursive: true });
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
      return { process: child, port: (body as ServerStatus).browser_port };
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
