// How long a command of `linkup` takes beyond what Node itself needs: the shipped bundle, in turns with `node -e 0`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../esbuild.mjs";

const ROUNDS = 21;
/** Beyond Node's own time. */
const TARGETS_MS = { "linkup status --json": 50 };
const folder = mkdtempSync(join(tmpdir(), "linkup-bench-cli-"));
const cli = join(folder, "cli.js");
await bundle(["programs"], folder);
const commands = {
  "node -e 0": ["-e", "0"],
  "linkup --help": [cli, "--help"],
  "linkup status --json": [cli, "status", "--json"],
  "linkup completion bash": [cli, "completion", "bash"],
};
const env = { ...process.env, LINKUP_HOME: join(folder, "home") };
const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
try {
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, args] of Object.entries(commands)) {
      const started = performance.now();
      const { status } = spawnSync(process.execPath, args, { env });
      times[name].push(performance.now() - started);
      if (status !== 0) throw new Error(`${name} ended with ${status}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}

const median = (name) => times[name].sort((a, b) => a - b)[ROUNDS >> 1];
const base = median("node -e 0");
console.log(`medians of ${ROUNDS} rounds, Node ${process.version}`);
for (const name of Object.keys(commands)) {
  const beyond = median(name) - base;
  const target = TARGETS_MS[name];
  const verdict = target ? `, at most ${target}: ${beyond <= target ? "met" : "MISSED"}` : "";
  if (beyond > target) process.exitCode = 1;
  const more = name === "node -e 0" ? "" : `, ${beyond.toFixed(0)} ms beyond Node's own${verdict}`;
  console.log(`${name.padEnd(24)} ${median(name).toFixed(0)} ms${more}`);
}
