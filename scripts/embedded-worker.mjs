// Serves the Worker on this machine: Cloudflare's own runtime, workerd, as a child process.
// Nothing stands before or behind it, so that requests and answers are as workerd passes them.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(import.meta.dirname, "..");
const linkup = join(root, "dist", "worker.js");
const COMPATIBILITY_DATE = "2026-11-01";
const STOP_MS = 5000;
/** Runs the Worker's scheduled job when it is asked to: workerd has no clock for that. */
const CLOCK = `export default {
  async fetch(request, env) {
    const { outcome } = await env.LINKUP.scheduled({ scheduledTime: new Date(), cron: "0 * * * *" });
    return new Response(outcome);
  }
}`;

/**
 * Builds dist/worker.js when its sources are newer, and serves it. Resolves when it accepts requests.
 *
 * @param {object} options
 * @param {number} [options.port] 0, the default: a free one
 * @param {string} [options.host] an address of this machine; 127.0.0.1 when not given
 * @param {string} [options.token] what the API asks for
 * @param {string} [options.tunnelUrl] where sessions' local servers listen when their clients do not say
 * @param {string} [options.persist] folder that keeps the sessions; without it they end with the Worker
 * @param {Record<string, string>} [options.vars] more variables of the Worker
 * @param {string} [options.internet] `host:port` of a server that stands for the whole Internet: it gets every
 *   request that the Worker makes, as plain HTTP with the `Host` it is meant for, and those to Cloudflare's cache
 * @param {boolean} [options.twice] serves the Worker a second time, in an isolate of its own with the same objects
 * @param {string} [options.bundle] another Worker, with the same Durable Objects
 * @returns {Promise<import("./embedded-worker.mjs").EmbeddedWorker>}
 */
export async function startWorker({
  port = 0,
  host = "127.0.0.1",
  token = "token123",
  tunnelUrl,
  persist,
  vars = {},
  internet,
  twice = false,
  bundle = linkup,
} = {}) {
  if (bundle === linkup && isStale())
    execFileSync(process.execPath, [join(root, "esbuild.mjs"), "worker"], { cwd: root });

  const folder = mkdtempSync(join(tmpdir(), "linkup-worker-"));
  const storage = persist ? resolve(persist) : join(folder, "storage");
  mkdirSync(storage, { recursive: true });
  const variables = {
    WORKER_TOKEN: token,
    LINKUP_TUNNEL: "direct",
    ...(tunnelUrl ? { LINKUP_DIRECT_TUNNEL_URL: tunnelUrl } : {}),
    ...vars,
  };
  const config = join(folder, "workerd.capnp");
  writeFileSync(config, workerdConfig(bundle, Object.keys(variables), { internet, twice }));

  const workerd = createRequire(import.meta.url)("workerd").default;
  const [command, ...withIt] = endingWithParent(workerd);
  const child = spawn(
    command,
    [
      ...withIt,
      "serve",
      config,
      `--import-path=/`,
      `--socket-addr=http=${host}:${port}`,
      `--directory-path=storage=${storage}`,
      "--control-fd=3",
      // For the clock alone: the Worker itself has no experimental flag.
      "--experimental",
    ],
    // Secrets go by environment: neither arguments nor files show them.
    { stdio: ["ignore", "inherit", "inherit", "pipe"], env: { ...process.env, ...variables } },
  );
  endWithThisProcess(child);
  const ended = new Promise((resolve) => {
    child.once("exit", () => {
      rmSync(folder, { recursive: true, force: true });
      resolve();
    });
  });

  const ports = await Promise.race([
    listeningPorts(child.stdio[3], ["http", "clock", ...(twice ? ["second"] : [])]),
    once(child, "error").then(([error]) => error),
    once(child, "exit").then(([code, signal]) => new Error(`workerd ended at once (${signal ?? code}).`)),
  ]);
  if (ports instanceof Error) throw ports;
  return {
    url: `http://${host}:${ports.http}`,
    secondUrl: ports.second && `http://127.0.0.1:${ports.second}`,
    pid: child.pid,
    ended,
    runScheduled: () => runScheduled(ports.clock),
    stop: () => stop(child, ended),
  };
}

/** Those that run. With one listener for all of them: Node warns of more than ten. */
const running = new Set();

function endWithThisProcess(child) {
  if (running.size === 0) process.on("exit", endAll);
  running.add(child);
  child.once("exit", () => {
    running.delete(child);
    if (running.size === 0) process.off("exit", endAll);
  });
}

function endAll() {
  for (const child of running) child.kill("SIGKILL");
}

/** workerd does not notice that its parent was killed. Linux can see to it; elsewhere only an ordinary exit does. */
function endingWithParent(command) {
  const setpriv = "/usr/bin/setpriv";
  const can = process.platform === "linux" && existsSync(setpriv);
  return can ? [setpriv, "--pdeathsig", "KILL", command] : [command];
}

/** workerd writes one JSON line per event to its control descriptor. */
async function listeningPorts(events, wanted) {
  const ports = {};
  for await (const line of createInterface(events)) {
    const { event, socket, port } = JSON.parse(line);
    if (event === "listen") ports[socket] = port;
    if (wanted.every((name) => ports[name])) return ports;
  }
  // The child has ended, which the caller hears from it as well.
  return new Promise(() => {});
}

async function runScheduled(port) {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  const outcome = await response.text();
  if (outcome !== "ok") throw new Error(`The scheduled job ended with "${outcome}".`);
}

async function stop(child, ended) {
  child.kill("SIGTERM");
  // workerd waits for open connections, such as WebSockets; nobody needs them any more.
  const patience = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(patience);
}

function workerdConfig(bundle, variables, { internet, twice }) {
  const code = `modules = [(name = "worker.js", esModule = embed ${JSON.stringify(bundle)})],
  compatibilityDate = "${COMPATIBILITY_DATE}"`;
  const cache = internet ? `cacheApiOutbound = "internet",` : "";
  const bindings = variables
    .map((name) => `(name = ${JSON.stringify(name)}, fromEnvironment = ${JSON.stringify(name)}),`)
    .join("\n    ");
  const second = `const second :Workerd.Worker = (
  ${code},
  ${cache}
  bindings = [
    (name = "SESSIONS", durableObjectNamespace = (className = "SessionObject", serviceName = "linkup")),
    (name = "DIRECTORY", durableObjectNamespace = (className = "DirectoryObject", serviceName = "linkup")),
    ${bindings}
  ],
);
`;
  const outside = internet
    ? `external = (address = ${JSON.stringify(internet)}, http = (cfBlobHeader = "cf-blob"))`
    : `network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "linkup", worker = .linkup),
    (name = "clock", worker = .clock),
    ${twice ? `(name = "second", worker = .second),` : ""}
    (name = "internet", ${outside}),
    (name = "storage", disk = (path = "storage", writable = true)),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "linkup"),
    (name = "clock", address = "127.0.0.1:0", http = (), service = "clock"),
    ${twice ? `(name = "second", address = "127.0.0.1:0", http = (), service = "second"),` : ""}
  ],
);
const clock :Workerd.Worker = (
  modules = [(name = "clock.js", esModule = ${JSON.stringify(CLOCK)})],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [(name = "LINKUP", service = "linkup")],
);
const linkup :Workerd.Worker = (
  ${code},
  ${cache}
  durableObjectNamespaces = [
    (className = "SessionObject", uniqueKey = "linkup-session", enableSql = true),
    (className = "DirectoryObject", uniqueKey = "linkup-directory", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "storage"),
  bindings = [
    (name = "SESSIONS", durableObjectNamespace = "SessionObject"),
    (name = "DIRECTORY", durableObjectNamespace = "DirectoryObject"),
    ${bindings}
  ],
);
${twice ? second : ""}`;
}

function isStale() {
  if (!existsSync(linkup)) return true;
  const built = statSync(linkup).mtimeMs;
  const sources = ["worker", "core"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(root, folder, name)),
  );
  return [...sources, join(root, "package.json"), join(root, "esbuild.mjs")].some(
    (source) => statSync(source).mtimeMs > built,
  );
}
