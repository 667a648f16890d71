// Deploying, updating and removing the Worker, against a stand-in of Cloudflare's API: see test/integration/infra.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const args = ["run", "--config", "test/vitest.config.mts", "--reporter=verbose", "test/integration/infra"];
const { status } = spawnSync("vitest", [...args, ...process.argv.slice(2)], {
  cwd: resolve(import.meta.dirname, ".."),
  stdio: "inherit",
  shell: process.platform === "win32",
});
process.exitCode = status ?? 1;
