/** Runs a tier of tests that is read as a list of claims. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** Runs the tests of a configuration, prints a line for each and the failures' details. Returns the exit code. */
export function runLines(config, args, env = {}) {
  const vitest = resolve(root, "node_modules/vitest/vitest.mjs");
  const argv = [vitest, "run", "--config", config, "--reporter=./scripts/line-per-test.mjs", ...args];
  const { status } = spawnSync(process.execPath, argv, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  return status ?? 1;
}
