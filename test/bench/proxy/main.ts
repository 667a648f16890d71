/**
 * The proxy against nginx, and with `--all` against haproxy, Caddy and express with http-proxy, in turns, in one run:
 *   npm run bench:proxy [-- --only 1k,page] [--rounds 7] [--all] [--floor] [--before FOLDER]
 * Prints CPU for each, and the ratios as they come. The rows are those of rows.ts, `log`
 * (what the request log costs) and `soak` (memory and open files), which is run only when it is named. `--floor`: also what Node
 * itself costs. `--before`: also against the bundles in this folder, to compare two states of the code.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createAuthority, issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import { chosen } from "../chosen.ts";
import { mean, median, standardError } from "../statistics.ts";
import { verdict } from "../verdict.ts";
import { compareBefore } from "./before.ts";
import { run } from "./load.ts";
import { requestLogCost } from "./request-log.ts";
import { ROWS } from "./rows.ts";
import { soak } from "./soak.ts";
import {
  OURS,
  patiently,
  type Stack,
  type StackSetup,
  startCaddy,
  startExpress,
  startFloor,
  startHaproxy,
  startNginx,
  startOurs,
  startService,
} from "./stacks.ts";

/** Runs of a row before it counts: a proxy runs all day. */
const WARM_UPS = 5;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "9" },
    all: { type: "boolean", default: false },
    before: { type: "string" },
    floor: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const usual = [...Object.keys(ROWS), "log"];
const wanted = chosen("--only", values.only ?? usual.join(), [...usual, "soak"]);
const loads = wanted.flatMap((row) => ROWS[row] ?? []);

needs("nginx", "h2load", "taskset", ...(values.all ? ["caddy", "haproxy"] : []));
const directory = mkdtempSync(join(tmpdir(), "linkup-bench-"));
const processes: Stack["process"][] = [];
try {
  await bench();
} finally {
  for (const child of processes) child.kill("SIGTERM");
  rmSync(directory, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const service = await startService(directory);
  processes.push(service.process);
  const place = await prepare(service.port);
  const starters = [
    startOurs,
    startNginx,
    ...(values.floor ? (["bytes", "http", "http2"] as const).map(startFloor) : []),
    ...(values.all ? [startCaddy, startHaproxy, startExpress] : []),
  ];
  const stacks: Stack[] = [];
  for (const start of starters) {
    const stack = await start(place);
    stacks.push(stack);
    processes.push(stack.process);
  }
  for (const stack of stacks)
    await patiently(async () => {
      if (Number.isNaN(run(stack, { ...ROWS[stack.http1 === false ? "page" : "1k"]!, requests: 100 })))
        throw new Error(`${stack.name} does not start.`);
    });

  compare(stacks);
  if (values.before !== undefined)
    await compareBefore(place, values.before, loads, { warmUps: WARM_UPS, rounds, processes });
  if (wanted.includes("log")) await requestLogCost(place, processes);
  if (wanted.includes("soak")) await soak(stacks[0]!, place);
}

/** The stacks take turns, so that what else the machine does meets all of them. */
function compare(stacks: Stack[]): void {
  for (const load of loads) {
    const able = stacks.filter(({ http2, http1 = true }) => (load.http2 ? http2 : http1));
    for (const stack of able) for (let i = 0; i < WARM_UPS; i++) run(stack, load);
    const figures = new Map(able.map(({ name }) => [name, [] as number[]]));
    for (let round = 0; round < rounds; round++)
      for (const stack of round % 2 === 0 ? able : able.toReversed())
        figures.get(stack.name)!.push((run(stack, load) * load.per) / load.requests);

    console.log(`${load.name}: CPU, ${load.unit}, median of ${rounds} rounds`);
    const ours = figures.get(OURS)!;
    for (const [name, other] of figures) {
      const line = `  ${name.padEnd(20)} ${median(other).toFixed(3)}`;
      if (name === OURS) {
        console.log(line);
        continue;
      }
      const ratios = ours.map((value, i) => value / other[i]!).filter((ratio) => !Number.isNaN(ratio));
      const ratio = median(ratios);
      const target = load.targets.find(({ stack }) => stack === name)?.ratio;
      const judged = target === undefined ? "" : `, at most ${target}: ${verdict(ratio <= target)}`;
      console.log(
        `${line}   ours ${ratio.toFixed(2)} × (mean ${mean(ratios).toFixed(2)} ± ${standardError(ratios).toFixed(3)})${judged}`,
      );
    }
  }
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

function needs(...commands: string[]): void {
  const missing = commands.filter((command) => spawnSync("which", [command]).status !== 0);
  if (missing.length === 0) return;
  console.error(
    `This needs ${missing.join(", ")}: apt-get install -y nginx caddy haproxy nghttp2-client util-linux`,
  );
  process.exit(2);
}
