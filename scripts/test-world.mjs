// Linkup with the clients, frameworks and SDKs that people really use, each driven for real: a line each.
//   npm run test:world [-- VITEST'S ARGUMENTS, such as a file's name]
// They are no dependencies of this project: test/world/package.json and requirements.txt name them, and they are installed
// into a cache outside of the repository, once for each change of these files. Browsers come with Debian's packages, as root.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { CHROMIUM } from "../test/support/chromium.ts";
import { runLines } from "./vitest-lines.mjs";

const H2SPEC_VERSION = "v2.2.1";
const world = resolve(import.meta.dirname, "../test/world");
const caches =
  process.env.LINKUP_TEST_CACHE ||
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "linkup-test");
const PYTHON = process.platform === "win32" ? "python" : "python3";

installBrowsers();
const packages = cached("world-npm", "package.json", (folder) => {
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  run([...npm, "install", "--no-audit", "--no-fund", "--loglevel=error"], folder);
});
const modules = join(world, "node_modules");
rmSync(modules, { recursive: true, force: true });
symlinkSync(join(packages, "node_modules"), modules, "junction");

const env = {};
if (spawnSync(PYTHON, ["-m", "pip", "--version"]).status === 0) {
  env.LINKUP_WORLD_PYTHON = PYTHON;
  env.PYTHONPATH = cached("world-python", "requirements.txt", (folder) => {
    run([PYTHON, "-m", "pip", "install", "-q", "--target", ".", "-r", "requirements.txt"], folder);
  });
} else {
  console.error(`SKIPPED: the frameworks in Python, because there is no ${PYTHON} with pip`);
}
env.LINKUP_H2SPEC = h2spec();
process.exitCode = runLines("test/world/vitest.config.mts", process.argv.slice(2), env);

/** The program that knows HTTP/2's specification: that of the PATH, or one built from its Go module into the cache. */
function h2spec() {
  const folder = join(caches, `h2spec-${H2SPEC_VERSION}`);
  const built = join(folder, process.platform === "win32" ? "h2spec.exe" : "h2spec");
  if (!existsSync(built) && spawnSync("go", ["version"]).status === 0) {
    console.error(`Building h2spec ${H2SPEC_VERSION} into ${folder} (once)…`);
    const module = `github.com/summerwind/h2spec/cmd/h2spec@${H2SPEC_VERSION}+incompatible`;
    spawnSync("go", ["install", module], { env: { ...process.env, GOBIN: folder }, stdio: "inherit" });
  }
  return existsSync(built) ? built : "h2spec";
}

/** The folder in which a file's packages are installed. It is whole or absent. */
function cached(name, file, install) {
  const wanted = createHash("sha256")
    .update(readFileSync(join(world, file)))
    .digest("hex");
  const folder = join(caches, `${name}-${wanted.slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  console.error(`Installing the packages of test/world/${file} into ${folder}…`);
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  cpSync(join(world, file), join(unfinished, file));
  install(unfinished);
  renameSync(unfinished, folder);
  return folder;
}

function run([command, ...args], cwd) {
  const { status } = spawnSync(command, args, { cwd, stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed in ${cwd}`);
}

/** What the tests miss they name themselves. */
function installBrowsers() {
  const wanted = [
    ["chromium", CHROMIUM],
    ["firefox-esr", "/usr/bin/firefox-esr", "/usr/bin/firefox"],
    ["libnss3-tools", "/usr/bin/certutil", "/usr/local/bin/certutil"],
  ];
  const absent = wanted.filter(([, ...files]) => !files.some(existsSync)).map(([name]) => name);
  if (absent.length === 0 || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  console.error(`Installing ${absent.join(", ")}…`);
  const options = { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  spawnSync("apt-get", ["update", "-qq"], options);
  spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...absent], options);
}
