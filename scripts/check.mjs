// Formatting, lint, layers and types: what needs no running program.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const packages = [
  "core",
  "node",
  "worker",
  "local-server",
  "manager",
  "agent-tools",
  "extension",
  "cli",
].filter((name) => existsSync(name));
const steps = [
  ["biome", "check", "--error-on-warnings", "."],
  ["depcruise", "--config", ".dependency-cruiser.mjs", "--output-type", "err", ...packages],
  ["tsc", "--noEmit"],
  ["tsc", "--noEmit", "-p", "worker"],
];

let failed = false;
for (const [command, ...args] of steps) {
  console.log(`$ ${command} ${args.join(" ")}`);
  const { status } = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
