// What needs no running program: formatting, lint, layers, types, names, spelling, workflows. All at once, told one after the other.
import { spawn } from "node:child_process";
import { names } from "../.dependency-cruiser.mjs";

const steps = [
  ["biome", "check", "--error-on-warnings", "."],
  ["depcruise", "--config", ".dependency-cruiser.mjs", "--output-type", "err", ...names],
  ["node", "scripts/check-translations.mjs"],
  ["tsc", "--noEmit"],
  ["tsc", "--noEmit", "-p", "worker"],
  ["tsc", "--noEmit", "-p", "extension/requests/webview"],
  ["node", "scripts/type-names.mjs"],
  ["cspell", "lint", "--no-progress", "--cache", "--cache-location", "node_modules/.cache/cspell"],
  ["node", "scripts/actionlint.mjs"],
];

const running = steps.map(run);
for (const [index, step] of steps.entries()) {
  console.log(`$ ${step.join(" ")}`);
  const { code, output } = await running[index];
  process.stdout.write(output);
  if (code !== 0) process.exitCode = 1;
}

/** What it printed, and its exit code. */
function run([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (output += piece));
    child.on("error", ({ message }) => resolve({ code: 1, output: `${message}\n` }));
    child.on("close", (code) => resolve({ code, output }));
  });
}
