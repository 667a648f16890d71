/**
 * The proxy against nginx, haproxy, Caddy and express with http-proxy, in turns, in one run:
 *   npm run bench:proxy [-- --soak] [--load=TEXT]
 * Prints CPU for each, with the ratios; exits 0 only when the targets are met.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority, issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import { median } from "../statistics.ts";
import { type Load, run } from "./load.ts";
import { requestLogCost } from "./request-log.ts";
import { soak } from "./soak.ts";
import {
  patiently,
  type Stack,
  type StackSetup,
  startCaddy,
  startExpress,
  startHaproxy,
  startNginx,
  startOurs,
  startService,
} from "./stacks.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const WARM_UP = 4;

const all: Load[] = [
  {
    name: "1 KB, h1",
    requests: 20_000,
    args: ["--h1", "-c", "16", "1k"],
    per: 10_000,
    unit: "s/10,000",
    http2: false,
    targets: [{ stack: "Caddy", ratio: 0.85 }],
  },
  {
    name: "h2 page",
    requests: 3_000,
    args: ["-c", "1", "-m", "100", "20k"],
    per: 10_000,
    unit: "s/10,000",
    http2: true,
    targets: [
      { stack: "Caddy", ratio: 0.85 },
      { stack: "nginx", ratio: 2.2 },
    ],
  },
  {
    name: "h1 page",
    requests: 3_000,
    args: ["--h1", "-c", "6", "20k"],
    per: 10_000,
    unit: "s/10,000",
    http2: false,
    targets: [
      { stack: "Caddy", ratio: 0.85 },
      { stack: "nginx", ratio: 2.2 },
    ],
  },
  {
    name: "64 KB, h1",
    requests: 3_000,
    args: ["--h1", "-c", "16", "64k"],
    per: 10_000,
    unit: "s/10,000",
    http2: false,
    targets: [],
  },
  {
    name: "20 MB, h1",
    requests: 50,
    args: ["--h1", "-c", "2", "20m"],
    per: 50,
    unit: "s/GB",
    http2: false,
    targets: [{ stack: "nginx", ratio: 1.5 }],
  },
];

/** `--load=TEXT` measures only those whose name has the text. */
const only = process.argv.find((arg) => arg.startsWith("--load="))?.slice("--load=".length) ?? "";
const loads = all.filter(({ name }) => name.includes(only));

needs("nginx", "caddy", "h2load", "taskset");
const directory = mkdtempSync(join(tmpdir(), "linkup-bench-"));
const processes: Stack["process"][] = [];
try {
  process.exitCode = (await bench()) ? 0 : 1;
} finally {
  for (const child of processes) child.kill("SIGTERM");
  rmSync(directory, { recursive: true, force: true });
}

async function bench(): Promise<boolean> {
  const service = await startService(directory);
  processes.push(service.process);
  const place = await prepare(service.port);
  const starters = [
    startOurs,
    startNginx,
    startCaddy,
    startExpress,
    ...(has("haproxy") ? [startHaproxy] : []),
  ];
  const stacks: Stack[] = [];
  for (const start of starters) {
    const stack = await start(place);
    stacks.push(stack);
    processes.push(stack.process);
  }
  for (const stack of stacks)
    await patiently(async () => {
      if (Number.isNaN(run(stack, { ...all[0]!, requests: 100 })))
        throw new Error(`${stack.name} does not start.`);
    });

  /** CPU by load and stack, one number for each round. */
  const figures = new Map(
    loads.map(({ name }) => [name, new Map(stacks.map(({ name }) => [name, [] as number[]]))]),
  );
  for (let round = -1; round < ROUNDS; round++)
    for (const load of loads)
      for (const stack of stacks) {
        if (load.http2 && !stack.http2) continue;
        // The first round warms up: a proxy runs all day.
        if (round < 0) for (let i = 0; i < WARM_UP; i++) run(stack, load);
        const cpu = run(stack, load);
        if (round >= 0 && !Number.isNaN(cpu))
          figures
            .get(load.name)!
            .get(stack.name)!
            .push((cpu * load.per) / load.requests);
      }

  const met = report(stacks, figures);
  const cheap = await requestLogCost(place, processes);
  const flat = process.argv.includes("--soak") ? await soak(stacks[0]!, place) : true;
  return met && cheap && flat;
}

function report(stacks: Stack[], figures: Map<string, Map<string, number[]>>): boolean {
  let met = true;
  const column = (text: string) => text.padStart(22);
  console.log(`CPU of the proxy, median of ${ROUNDS} rounds; in brackets ours against it.\n`);
  console.log("".padEnd(22) + stacks.map(({ name }) => column(name)).join(""));
  for (const load of loads) {
    const medians = new Map(stacks.map(({ name }) => [name, median(figures.get(load.name)!.get(name)!)]));
    const ours = medians.get(stacks[0]!.name)!;
    const cells = stacks.map(({ name }, i) => {
      const value = medians.get(name)!;
      if (Number.isNaN(value)) return column(load.http2 && !stacks[i]!.http2 ? "no HTTP/2" : "failed");
      return column(value.toFixed(3) + (i === 0 ? "" : ` (${(ours / value).toFixed(2)})`));
    });
    console.log(`${load.name}, ${load.unit}`.padEnd(22) + cells.join(""));
    for (const { stack, ratio } of load.targets) {
      const actual = ours / medians.get(stack)!;
      const holds = actual <= ratio;
      met &&= holds;
      console.log(`  ${holds ? "met" : "MISSED"}: ${actual.toFixed(2)} × ${stack}, at most ${ratio}`);
    }
  }
  return met;
}

async function prepare(upstream: number): Promise<StackSetup> {
  const authority = await createAuthority(["example.com"], Date.now());
  const leaf = await issueLeaf(authority, "example.com", Date.now());
  const certificates = join(directory, "home", "certificates");
  mkdirSync(certificates, { recursive: true });
  writeFileSync(join(certificates, "authority.crt.pem"), authority.certificate);
  writeFileSync(join(certificates, "authority.key.pem"), authority.key, { mode: 0o600 });
  const certificate = join(directory, "leaf.crt.pem");
  const key = join(directory, "leaf.key.pem");
  writeFileSync(certificate, leaf.certificate);
  writeFileSync(key, leaf.key, { mode: 0o600 });
  return { directory, certificate, key, upstream };
}

function has(command: string): boolean {
  return spawnSync("which", [command]).status === 0;
}

function needs(...commands: string[]): void {
  const missing = commands.filter((command) => !has(command));
  if (missing.length === 0) return;
  console.error(
    `This needs ${missing.join(", ")}: apt-get install -y nginx caddy haproxy nghttp2-client util-linux`,
  );
  process.exit(2);
}
