/** How long a command of `linkup` takes beyond what Node itself needs: the bundle as it ships, in turns with `node -e 0`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dist } from "../../support/bundles.ts";
import { median } from "../statistics.ts";
import { verdict } from "../verdict.ts";

const ROUNDS = 21;
const NOTHING = "node -e 0";
/** Beyond Node's own time. */
const TARGETS_MS: Readonly<Record<string, number>> = { "linkup status --json": 50 };

const cli = join(await dist(), "cli.js");
const commands: Record<string, string[]> = {
  [NOTHING]: ["-e", "0"],
  "linkup --help": [cli, "--help"],
  "linkup status --json": [cli, "status", "--json"],
  "linkup completion bash": [cli, "completion", "bash"],
};
const home = mkdtempSync(join(tmpdir(), "linkup-bench-cli-"));
const env = { ...process.env, LINKUP_HOME: home };
const times = new Map(Object.keys(commands).map((name) => [name, [] as number[]]));
try {
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, args] of Object.entries(commands)) {
      const started = performance.now();
      const { status } = spawnSync(process.execPath, args, { env });
      times.get(name)!.push(performance.now() - started);
      if (status !== 0) throw new Error(`${name} ended with ${status}`);
    }
} finally {
  rmSync(home, { recursive: true });
}

console.log(`medians of ${ROUNDS} rounds, Node ${process.version}`);
const base = median(times.get(NOTHING)!);
for (const [name, all] of times) {
  const beyond = median(all) - base;
  const target = TARGETS_MS[name];
  const judged = target === undefined ? "" : `, at most ${target}: ${verdict(beyond <= target)}`;
  const more = name === NOTHING ? "" : `, ${beyond.toFixed(0)} ms beyond Node's own${judged}`;
  console.log(`${name.padEnd(24)} ${median(all).toFixed(0)} ms${more}`);
}
