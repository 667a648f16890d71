// What the tests in a real VS Code need and package.json does not bring: code-server (VS Code's server
// and workbench, for a browser) and Chromium. 600 MB and two minutes, so kept outside the repository.
import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A release of code-server: 4.139.1 is VS Code 1.139.1. */
interface Release {
  version: string;
  /** The Node that it runs on, and its native modules are compiled for; without: that of the dev dependencies. */
  node?: string;
  /** Of its package of ripgrep, which would be downloaded. */
  ripgrep?: string;
  /** Seconds after which a closed window's extension host ends, where that can be said. */
  flags: readonly string[];
  /** Whether it passes options on to VS Code's server. */
  passesOptions: boolean;
}

/** The current VS Code, and the oldest that can be had of those that `engines` in package.json allows. */
const RELEASES: { current: Release; oldest: Release } = {
  current: { version: "4.139.1", flags: ["--reconnection-grace-time", "5"], passesOptions: true },
  oldest: { version: "4.103.2", node: "22.23.3", ripgrep: "1.15.14", flags: [], passesOptions: false },
};
/** The Node of the dev dependencies. */
const NODE_MAJOR = 24;
const CHROMIUMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const PACKAGES = "chromium procps libkrb5-dev g++ make python3";
const APT_INSTALL = `apt-get install -y --no-install-recommends ${PACKAGES}`;

/** The repository. */
export const root: string = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** The Node that comes with the dev dependencies: the folder for a PATH, and the file. */
export const nodeBin: string = join(root, "node_modules", "node", "bin");
export const node: string = join(nodeBin, "node");

const NODE_PACKAGE = `node-${process.platform}-${process.arch}`;

/** True, and said loudly on stderr, when LINKUP_SKIP_E2E=1 asks for no test in a real VS Code. */
export function skipped(): boolean {
  if (process.env.LINKUP_SKIP_E2E !== "1") return false;
  const line = "!".repeat(78);
  console.error(`${line}\n!! LINKUP_SKIP_E2E=1: NOTHING IS TESTED IN A REAL VS CODE\n${line}`);
  return true;
}

/** The browser's path. Throws, naming the command to run, when it is not installed. */
export function chromium(): string {
  const found = process.env.LINKUP_TEST_CHROMIUM || firstOnPath(CHROMIUMS);
  if (!found) throw missing("Chromium");
  return found;
}

export interface CodeServer {
  /** What starts it, with `node`. */
  entry: string;
  node: string;
  /** Arguments of this release. */
  flags: readonly string[];
  passesOptions: boolean;
}

/**
 * The installed code-server, installed first when the cache has none: the current one, or with LINKUP_TEST_VSCODE=oldest
 * an old one. The cache is `$LINKUP_TEST_CACHE`, or `linkup-test` in the user's cache folder, with `code-server-<version>`
 * in it. Also sees to Chromium. Throws, naming what is missing and the command that installs it.
 */
export async function codeServer(
  release: Release = process.env.LINKUP_TEST_VSCODE === "oldest" ? RELEASES.oldest : RELEASES.current,
): Promise<CodeServer> {
  if (process.platform === "win32")
    throw new Error("code-server does not run on Windows: test in WSL, or set LINKUP_SKIP_E2E=1.");
  const caches =
    process.env.LINKUP_TEST_CACHE ||
    join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "linkup-test");
  const cache = join(caches, `code-server-${release.version}`);
  const complete = () => existsSync(join(cache, "complete"));
  await systemPackages(complete());
  await withLock(`${cache}.lock`, complete, () => install(cache, release));
  const modules = join(cache, "node_modules");
  return {
    entry: join(modules, "code-server", "out", "node", "entry.js"),
    node: release.node ? join(modules, NODE_PACKAGE, "bin", "node") : node,
    flags: release.flags,
    passesOptions: release.passesOptions,
  };
}

/** Installs Debian's packages as root; names the command for everyone else. */
export async function systemPackages(codeServerInstalled: boolean): Promise<void> {
  const tools = ["ps", ...(codeServerInstalled ? [] : ["krb5-config", "c++", "make", "python3"])];
  const absent = tools.filter((tool) => !firstOnPath([tool]));
  if (!process.env.LINKUP_TEST_CHROMIUM && !firstOnPath(CHROMIUMS)) absent.unshift("chromium");
  if (absent.length === 0) return;
  if (process.getuid?.() !== 0 || !firstOnPath(["apt-get"])) throw missing(absent.join(", "));
  console.error(`Installing ${PACKAGES} (for the tests in a real VS Code)…`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { env });
  await run("apt-get", APT_INSTALL.split(" ").slice(1), { env });
}

/** Installs into a folder beside the cache, then renames: the cache is whole or absent. */
async function install(cache: string, release: Release): Promise<void> {
  const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (!stdout?.startsWith(`v${NODE_MAJOR}.`))
    throw new Error(
      `code-server needs Node ${NODE_MAJOR}, and ${node} is ${stdout?.trim() || "absent"}. Run: npm ci`,
    );
  console.error(`Installing code-server ${release.version} into ${cache} (600 MB, about two minutes, once)…`);
  const folder = await mkdtemp(`${cache}.new-`);
  try {
    await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }));
    const headers = join(root, "node_modules", "node", "node_modules", NODE_PACKAGE);
    let install = npmInstall(folder, nodeBin, headers);
    if (release.node) {
      await install(`${NODE_PACKAGE}@${release.node}`);
      const own = join(folder, "node_modules", NODE_PACKAGE);
      install = npmInstall(folder, join(own, "bin"), own);
    }
    const more = release.ripgrep ? await ripgrepCache(folder, release.ripgrep) : {};
    await install(`code-server@${release.version}`, more);
    await writeFile(join(folder, "complete"), `${new Date().toISOString()}\n`);
    await rm(cache, { recursive: true, force: true });
    await rename(folder, cache);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Installs a package with the npm that runs on the Node in `bin`. */
function npmInstall(cwd: string, bin: string, headers: string) {
  return async (what: string, more: NodeJS.ProcessEnv = {}): Promise<void> => {
    const cli = process.env.npm_execpath;
    const argv = ["install", "--foreground-scripts", "--no-audit", "--no-fund", what];
    const env = { ...npmEnvironment(headers, bin), ...more };
    await run(cli ? join(bin, "node") : "npm", cli ? [cli, ...argv] : argv, { cwd, env });
  };
}

/** The ripgrep that the current code-server brings, where the old one's package looks before it downloads its own. */
async function ripgrepCache(folder: string, version: string): Promise<NodeJS.ProcessEnv> {
  const { entry } = await codeServer(RELEASES.current);
  const modules = join(dirname(entry), "..", "..", "lib", "vscode", "node_modules");
  const brought = join(modules, "@vscode", "ripgrep-universal", "bin", `${process.platform}-${process.arch}`);
  const cached = join(folder, "tmp", `vscode-ripgrep-cache-${version}`);
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const kind = process.platform === "darwin" ? "apple-darwin" : "unknown-linux-musl";
  await mkdir(cached, { recursive: true });
  const archive = join(cached, `ripgrep-v13.0.0-13-${machine}-${kind}.tar.gz`);
  await run("tar", ["czf", archive, "-C", brought, "rg"], {});
  return { TMPDIR: join(folder, "tmp") };
}

/**
 * npm hands its own settings down as variables; those of the `npm run` around us (its prefix, and the Node
 * it says it runs on, which code-server's install script believes) would misdirect the npm inside.
 */
function npmEnvironment(headers: string, bin: string): NodeJS.ProcessEnv {
  const outer =
    /^(npm_(package_|lifecycle_|command$|node_execpath$|execpath$|config_(.*prefix|user_agent|global.*)$)|INIT_CWD$|NODE_ENV$|NODE_OPTIONS$)/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !outer.test(name)));
  return {
    ...env,
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    // node-gyp compiles against these headers instead of downloading them.
    ...(existsSync(join(headers, "include", "node")) ? { npm_config_nodedir: headers } : {}),
    // code-server's install script runs npm in folders of its own, which have no list of allowed scripts.
    npm_config_dangerously_allow_all_scripts: "true",
    npm_config_ignore_scripts: "false",
    // Some of them run npx.
    npm_config_yes: "true",
    npm_config_unsafe_perm: "true",
  };
}

/** Runs `action` unless `done()`; others who want the same wait for it. The lock of a dead process is void. */
async function withLock(lock: string, done: () => boolean, action: () => Promise<void>): Promise<void> {
  await mkdir(dirname(lock), { recursive: true });
  for (let told = false; !done(); ) {
    try {
      await writeFile(lock, String(process.pid), { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = Number(await readFile(lock, "utf8").catch(() => ""));
      // An empty lock is one whose owner is about to write its id.
      if (owner && !alive(owner)) await rm(lock, { force: true });
      else if (!told) console.error(`Waiting for process ${owner}, which installs code-server (${lock})…`);
      told = true;
      await sleep(500);
      continue;
    }
    try {
      if (!done()) await action();
    } finally {
      await rm(lock, { force: true });
    }
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function firstOnPath(names: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}

function missing(what: string): Error {
  return new Error(
    `The tests in a real VS Code need ${what}. On Debian or Ubuntu run: sudo ${APT_INSTALL}\n` +
      "(elsewhere install the same; LINKUP_TEST_CHROMIUM names a browser that is not on the PATH), or set LINKUP_SKIP_E2E=1 to leave these tests out.",
  );
}

/** Rejects when the command does not exit with 0. Its output goes to our stderr. */
function run(command: string, argv: string[], options: SpawnOptions): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(command, argv, { stdio: ["ignore", 2, 2], ...options });
    child.once("error", fail);
    child.once("exit", (code, signal) =>
      code === 0 ? done() : fail(new Error(`${command} ${argv.join(" ")} ended with ${signal ?? code}.`)),
    );
  });
}

if (import.meta.main) console.log((await codeServer()).entry);

/** Chromium without requests of its own. */
export const CHROMIUM_FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--disable-features=LocalNetworkAccessChecks",
];
