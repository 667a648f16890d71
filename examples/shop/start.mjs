// Starts all three services as one copy:
//   node examples/shop/start.mjs --copy local [--ports 3101,3102,3103] [--worker-port 8787] [--lose tracestate|member|all]
// Ends them all at SIGTERM or SIGINT, and when one of them ends by itself.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PORTS } from "./ports.mjs";
import { LOSSES } from "./trace.mjs";

const USAGE =
  "Usage: start.mjs --copy local|remote [--ports WEB,API,AUTH] [--worker-port PORT] [--lose tracestate|member|all]";
const { copy, ports, authUrl, lose } = readOptions();

const services = ["web", "api", "auth"].map((name, index) => ({
  name,
  child: startService(name, ports[index]),
}));
let stopping = false;
let listening = 0;

for (const { name, child } of services) {
  createInterface({ input: child.stdout }).on("line", (line) => {
    console.log(line);
    if (line.includes(" listening on ") && ++listening === services.length) console.log("ready");
  });
  child.on("error", (error) => ended(name, error.message));
  child.on("exit", (code, signal) => ended(name, signal ?? `exit code ${code}`));
}
process.on("SIGTERM", () => stopAll("SIGTERM"));
process.on("SIGINT", () => stopAll("SIGINT"));

function startService(name, port) {
  const file = fileURLToPath(new URL(`./${name}.mjs`, import.meta.url));
  return spawn(process.execPath, [file, "--copy", copy, "--port", port], {
    // With the IPC channel a service learns that this process is gone, even after a SIGKILL.
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: { ...process.env, AUTH_URL: authUrl, LOSE: lose },
  });
}

/** A service that ends by itself takes the others with it: two of three are not the system that was asked for. */
function ended(name, how) {
  if (stopping) return;
  console.error(`${name} (${copy}) ended (${how}): stopping the others.`);
  process.exitCode = 1;
  stopAll("SIGTERM");
}

function stopAll(signal) {
  stopping = true;
  for (const { child } of services) child.kill(signal);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        copy: { type: "string" },
        ports: { type: "string" },
        "worker-port": { type: "string" },
        lose: { type: "string" },
      },
    });
    const copy = values.copy ?? process.env.COPY;
    if (copy !== "local" && copy !== "remote") throw new Error("--copy is local or remote.");
    const ports = values.ports?.split(",") ?? Object.values(PORTS[copy]).map(String);
    if (ports.length !== 3) throw new Error("--ports takes three ports: of web, api and auth.");
    const workerPort = values["worker-port"] ?? "8787";
    if (!/^\d{1,5}$/.test(workerPort)) throw new Error("--worker-port takes a port number.");
    const authUrl = process.env.AUTH_URL ?? `http://shop.localhost:${workerPort}/auth/whoami`;
    const lose = values.lose ?? process.env.LOSE ?? "";
    if (lose !== "" && !Object.hasOwn(LOSSES, lose))
      throw new Error(`--lose is one of: ${Object.keys(LOSSES).join(", ")}.`);
    return { copy, ports, authUrl, lose };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(1);
  }
}
