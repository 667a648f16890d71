// The rows that the proxy has to hold, one line each: see test/integration/proxy.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const args = [
  "run",
  "--config",
  "test/vitest.config.mts",
  "--reporter=verbose",
  "test/integration/proxy",
  ...process.argv.slice(2),
];
const { status } = spawnSync("vitest", args, {
  cwd: resolve(import.meta.dirname, ".."),
  stdio: "inherit",
  shell: process.platform === "win32",
});
process.exitCode = status ?? 1;
