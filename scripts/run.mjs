// Runs a script of this folder on a machine that has nothing but some Node and npm:
// installs what package-lock.json asks for, and uses the Node that comes with it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(new URL(".", import.meta.url)), "..");
const [script, ...args] = process.argv.slice(2);

/** Exits with the child's own exit code when it fails. */
function run(command, argv, options = {}) {
  const { status, signal, error } = spawnSync(command, argv, { cwd: root, stdio: "inherit", ...options });
  if (error) throw error;
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}

const modules = join(root, "node_modules");
const stamp = join(modules, ".installed");
const wanted = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  console.error("Installing dependencies (npm ci)…");
  const npm = process.env.npm_execpath;
  if (npm) run(process.execPath, [npm, "ci", "--no-audit", "--no-fund"]);
  else run(process.platform === "win32" ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund"], { shell: process.platform === "win32" });
  writeFileSync(stamp, wanted);
}

const bundled = join(modules, "node", "bin", process.platform === "win32" ? "node.exe" : "node");
const node = existsSync(bundled) ? bundled : process.execPath;
const path = [join(modules, "node", "bin"), join(modules, ".bin"), process.env.PATH].join(delimiter);

// Ctrl-C reaches the child as well, which ends by itself: this process only waits for it.
process.on("SIGINT", () => {});
run(node, [join(root, "scripts", `${script}.mjs`), ...args], { env: { ...process.env, PATH: path } });
