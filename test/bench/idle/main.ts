/**
 * What a session costs while nobody uses it, in `direct` and in `cloudflare` mode (behind a stand-in of cloudflared, which is
 * not counted), over ten minutes each:
 *   npm run bench:idle [-- --seconds 60] [--only direct|cloudflare] [--auto]
 * With `--auto` its two services are routed automatically, first while something listens at their local URLs, then while
 * nothing does: what it costs to watch them.
 * Prints memory, CPU and wake-ups of each process. Linux only.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { World } from "../../integration/manager/world.ts";
import { chosen } from "../chosen.ts";
import { verdict } from "../verdict.ts";

/** MB of all processes of a session together: their private pages, and their share of those that are shared. */
const MEMORY_MB = 60;
/** Percent of a core. */
const CPU_PERCENT = 0.2;
/** After a start: V8 gives memory back after a quiet minute. */
const SETTLE_SECONDS = 75;
const MODES = ["direct", "cloudflare"] as const;
const PROGRAMS = ["keeper", "local-server", "local-dns"] as const;

interface Use {
  cpuNs: number;
  wakeUps: number;
}

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    settle: { type: "string" },
    only: { type: "string", default: MODES.join() },
    auto: { type: "boolean" },
  },
});
const chosenModes = chosen("--only", values.only, MODES);
const seconds = Number(values.seconds);
const settle = Number(values.settle ?? SETTLE_SECONDS);
if (values.auto) for (const listening of [true, false]) await measure("direct", { listening });
else for (const mode of chosenModes) await measure(mode);

async function measure(mode: "direct" | "cloudflare", auto?: { listening: boolean }): Promise<void> {
  await using world = await World.create(mode);
  const started = await world.linkup("start", "--detach");
  if (started.code !== 0) throw new Error(`linkup start failed:\n${started.stderr}`);
  if (auto) {
    if (!auto.listening) for (const service of ["web", "api"]) await world.stopService(`local ${service}`);
    await world.json("route", "auto", "--all");
  }
  await delay(settle * 1000);

  const processes = PROGRAMS.flatMap((program) => world.pidsOf(program).map((pid) => ({ program, pid })));
  const before = processes.map(({ pid }) => useOf(pid));
  await delay(seconds * 1000);
  const rows = processes.map(({ program, pid }, index) => {
    const { cpuNs, wakeUps } = useOf(pid);
    return {
      program,
      memoryMb: memoryOf(pid),
      cpuPercent: (cpuNs - before[index]!.cpuNs) / 1e7 / seconds,
      wakeUps: (wakeUps - before[index]!.wakeUps) / seconds,
    };
  });

  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + of(row), 0);
  const total = {
    program: "together",
    memoryMb: sum((row) => row.memoryMb),
    cpuPercent: sum((row) => row.cpuPercent),
    wakeUps: sum((row) => row.wakeUps),
  };
  const copies = auto ? `, auto, ${auto.listening ? "listening" : "silent"}` : "";
  console.log(`\n${mode}${copies}, at rest for ${seconds} s     memory   CPU of a core   wake-ups a second`);
  for (const { program, memoryMb, cpuPercent, wakeUps } of [...rows, total])
    console.log(
      `${program.padEnd(32)} ${memoryMb.toFixed(1).padStart(6)} MB ${cpuPercent.toFixed(2).padStart(10)} % ${wakeUps.toFixed(1).padStart(14)}`,
    );
  for (const [what, value, most] of [
    ["memory, MB", total.memoryMb, MEMORY_MB],
    ["CPU, %", total.cpuPercent, CPU_PERCENT],
  ] as const)
    console.log(`${verdict(value <= most).padEnd(6)} ${what}: ${value.toFixed(2)}, at most ${most}`);
}

/** CPU time and how often a core was entered, of all threads. `schedstat`: nanoseconds on a core, waiting, times on a core. */
function useOf(pid: number): Use {
  const use: Use = { cpuNs: 0, wakeUps: 0 };
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [ran, , times] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").trim().split(" ");
    use.cpuNs += Number(ran);
    use.wakeUps += Number(times);
  }
  return use;
}

/** MB of the process's proportional set size (PSS). */
function memoryOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)![1]) / 1024;
}
