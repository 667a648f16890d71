/**
 * Local DNS under a steady load, with dnsmasq beside it in the same run:
 *   npm run bench:dns
 * Prints latencies and CPU of both.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localDnsBundle, spawnBundle, startLocalServer } from "../../integration/local-server/harness.ts";
import { cpuSeconds } from "../proxy/cpu.ts";
import { verdict } from "../verdict.ts";
import type { Measured } from "./load.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const QUERIES_PER_SECOND = 10_000;
const SECONDS = 4;
/** Of the 99th percentile. */
const TARGET_MS = 5;
const NAMES = ["slim-gecko", "fat-toad", "calm-newt", "wild-boar"].flatMap((session) =>
  ["example.com", "api.example.com"].map((domain) => `${session}.${domain}`),
);

interface Server {
  name: string;
  port: number;
  process: ChildProcess;
}

type Round = Measured & { cpu: number; waited: number };

const missing = ["dnsmasq", "taskset"].filter((program) => spawnSync("which", [program]).status !== 0);
if (missing.length > 0) {
  console.error(`This needs ${missing.join(", ")}: apt-get install -y dnsmasq-base util-linux`);
  process.exit(2);
}

const directory = mkdtempSync(join(tmpdir(), "linkup-bench-dns-"));
await using localServer = await startLocalServer();
const servers: Server[] = [];
try {
  servers.push(await startOurs(), await startDnsmasq());
  report(await measure());
} finally {
  for (const { process } of servers) process.kill("SIGTERM");
  rmSync(directory, { recursive: true, force: true });
}

/** In turns; the first round warms up. */
async function measure(): Promise<Map<string, Round[]>> {
  const rounds = new Map(servers.map(({ name }) => [name, [] as Round[]]));
  for (let round = -1; round < ROUNDS; round++)
    for (const { name, port, process } of servers) {
      const before = cpuSeconds(process.pid!);
      const waitedBefore = waitedSeconds(process.pid!);
      const measured = await load(port);
      const cpu = cpuSeconds(process.pid!) - before;
      if (round >= 0)
        rounds.get(name)!.push({ ...measured, cpu, waited: waitedSeconds(process.pid!) - waitedBefore });
    }
  return rounds;
}

function load(port: number): Promise<Measured> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "load.ts"), ...[port, QUERIES_PER_SECOND, SECONDS].map(String), ...NAMES],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NODE_NO_WARNINGS: "1" } },
  );
  pin(child, 1);
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  return new Promise((resolve, reject) =>
    child.once("close", (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error("The load failed.")),
    ),
  );
}

function report(rounds: Map<string, Round[]>): void {
  console.log(
    `${QUERIES_PER_SECOND.toLocaleString("en")} queries a second for ${SECONDS} s over UDP, the quietest of ${ROUNDS} rounds: what else runs here only adds. Latency from when a query was due.\n`,
  );
  const row = (name: string, ...cells: string[]) =>
    console.log(name.padEnd(12) + cells.map((cell) => cell.padStart(16)).join(""));
  row("", "p50", "p99", "longest", "unanswered", "CPU s/10,000", "waited for CPU");
  const quietest = new Map(
    Array.from(rounds, ([name, all]) => [name, all.toSorted((a, b) => a.p99 - b.p99)[0]!] as const),
  );
  for (const [name, { p50, p99, max, asked, answered, cpu, waited }] of quietest)
    row(
      name,
      ...[p50, p99, max].map((time) => `${time.toFixed(2)} ms`),
      String(asked - answered),
      ((cpu * 10_000) / asked).toFixed(3),
      `${waited.toFixed(2)} s`,
    );
  const { p99, asked, answered } = quietest.get(servers[0]!.name)!;
  const isMet = p99 < TARGET_MS && answered === asked;
  console.log(
    `\n  ${verdict(isMet)}: p99 ${p99.toFixed(2)} ms, below ${TARGET_MS} with every query answered`,
  );
}

async function startOurs(): Promise<Server> {
  await localServer.control("PUT", "/v1/leases/bench", { ttl_ms: null });
  for (const session of new Set(NAMES.map((name) => name.split(".")[0]!)))
    await localServer.control("PUT", `/v1/sessions/${session}`, {
      session: {
        session_token: "t",
        services: [{ name: "web", location: "http://localhost:1" }],
        domains: ["example.com", "api.example.com"].map((domain) => ({ domain, default_service: "web" })),
      },
      origin_secret: null,
      config_path: null,
    });
  const { child, log } = spawnBundle(await localDnsBundle(), localServer.home, [
    ...["--listen", "127.0.0.1:0", "--forward", "none"],
  ]);
  let port: string | undefined;
  while (!port) {
    if (child.exitCode !== null) throw new Error(log());
    await new Promise((resolve) => setTimeout(resolve, 20));
    port = /dns port (\d+)/.exec(log())?.[1];
  }
  pin(child, 0);
  return { name: "local DNS", port: Number(port), process: child };
}

async function startDnsmasq(): Promise<Server> {
  const port = await freePort();
  const child = spawn(
    "dnsmasq",
    [
      ...["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces"],
      ...["--listen-address=127.0.0.1", `--port=${port}`, `--pid-file=${join(directory, "dnsmasq.pid")}`],
      ...NAMES.flatMap((name) => [`--address=/${name}/127.0.0.1`, `--address=/${name}/::1`]),
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  pin(child, 0);
  return { name: "dnsmasq", port, process: child };
}

/** Servers on one core, the load on the other. */
function pin({ pid }: ChildProcess, core: number): void {
  spawnSync("taskset", ["-a", "-p", "-c", String(core), String(pid)], { stdio: "ignore" });
}

/** Seconds in which the process could have run and other work had its core: the second number of schedstat. */
function waitedSeconds(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e9;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
