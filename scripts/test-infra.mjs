// Deploying, updating and removing the Worker, against a stand-in of Cloudflare's API, and the GitHub Action's whole life:
// see test/integration/infra and test/integration/action.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const args = [
  "run",
  "--config",
  "test/vitest.config.mts",
  "--reporter=verbose",
  "test/integration/infra",
  "test/integration/action",
];
const { status } = spawnSync("vitest", [...args, ...process.argv.slice(2)], {
  cwd: resolve(import.meta.dirname, ".."),
  stdio: "inherit",
  shell: process.platform === "win32",
});
process.exitCode = status ?? 1;
