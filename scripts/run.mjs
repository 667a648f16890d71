// Runs a script of this folder on a machine that has nothing but some Node and npm:
// installs the versions of package-lock.json, and uses the Node that comes with it.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
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
if (!isInstalled()) {
  console.error("Installing dependencies…");
  // Not `npm ci`: it refuses a lock file that lacks the binaries for some platform. The locked versions are taken
  // all the same, and nothing is written but node_modules.
  const install = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env.npm_execpath;
  if (npm) run(process.execPath, [npm, ...install]);
  else run("npm", install, { shell: process.platform === "win32" });
}

/** True when node_modules holds what package-lock.json asks for; packages for other platforms may be missing. */
function isInstalled() {
  const installed = join(modules, ".package-lock.json");
  if (!existsSync(installed)) return false;
  const read = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
  const present = read(installed);
  return Object.entries(read(join(root, "package-lock.json"))).every(
    ([path, wanted]) => path === "" || wanted.optional || present[path]?.version === wanted.version,
  );
}

const bundled = join(modules, "node", "bin", process.platform === "win32" ? "node.exe" : "node");
// LINKUP_NODE=path: the Node that runs this, to try another version.
const own = process.env.LINKUP_NODE !== "path" && existsSync(bundled);
const node = own ? bundled : process.execPath;
const path = [dirname(node), join(modules, ".bin"), process.env.PATH].join(delimiter);

// Our Node warns of each source that it runs as it is, which is meant to be so. Another one may not know this option.
const quiet = own ? ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"] : [];
const child = spawn(node, [...quiet, join(root, "scripts", `${script}.mjs`), ...args], {
  stdio: "inherit",
  env: { ...process.env, PATH: path },
});
// Ctrl-C in a terminal reaches the child as well; any other signal is handed on. Either way it ends first.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
// npm hands a signal to its shell only, and both are gone at once: then nobody is left to tell.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && child.kill("SIGTERM"), 500).unref();
child.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
