// Formatting, lint with the import rules, and types: what needs no running program.
import { spawnSync } from "node:child_process";

const steps = [
  ["biome", "check", "--error-on-warnings", "."],
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
