// The demo: a real session of the example system on this machine, behind a Worker on workerd. No account needed.
//   npm run demo                 until Ctrl-C
//   npm run demo -- --check      tries every claim with real requests, prints each, exits 0 or 1
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { claims } from "./demo-claims.mjs";
import { startWorker } from "./embedded-worker.mjs";
import { freePort } from "./free-port.mjs";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { check: { type: "boolean" }, lose: { type: "string" } } });
const token = "demo-token";

/** What was started, to be stopped in the opposite order. */
const started = [];
const folder = await mkdtemp(join(tmpdir(), "linkup-demo-"));
const home = join(folder, "home");
const env = { ...process.env, LINKUP_HOME: home, LINKUP_WORKER_TOKEN: token };

let stopping;
function stop() {
  stopping ??= (async () => {
    for (const { what, end } of started.reverse()) {
      await end().catch((error) => console.error(`Could not stop ${what}: ${error.message}`));
    }
    await rm(folder, { recursive: true, force: true });
  })();
  return stopping;
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, async () => {
    if (!stopping) console.log("\nStopping…");
    await stop();
    process.exit(values.check ? 1 : 0);
  });
}

try {
  const demo = await start();
  if (values.check) {
    const failed = await check(demo);
    await stop();
    console.log(
      `\n${failed === 0 ? "Every claim holds." : `${failed} of the claims do not hold.`} Nothing is left running.`,
    );
    process.exitCode = failed === 0 ? 0 : 1;
  } else {
    describe(demo);
    await openEditor(demo);
    console.log("Ctrl-C stops everything.");
  }
} catch (error) {
  console.error(`\nThe demo did not start: ${error.message}`);
  await stop();
  process.exitCode = 1;
}

/** Starts the remote copies, the Worker, the local copies and a session of them. */
async function start() {
  await build();
  // The ports of the example's linkup.yaml where they are free, others where they are not.
  const remote = await Promise.all([4101, 4102, 4103].map(freePort));
  const local = await Promise.all([3101, 3102, 3103].map(freePort));
  const workerPort = await freePort(8787);

  step("The Worker, on workerd");
  const worker = await startWorker({ port: workerPort, token });
  started.push({ what: "the Worker", end: () => worker.stop() });

  step("The remote copies of web, api and auth: what everyone shares");
  await startCopies("remote", remote, workerPort);
  step("The local copies: what you are working on");
  await startCopies("local", local, workerPort);

  step("A session");
  const workspace = join(folder, "shop");
  await mkdir(workspace, { recursive: true });
  const configPath = join(workspace, "linkup.yaml");
  const example = await readFile(join(root, "examples/shop/linkup.yaml"), "utf8");
  const ports = {
    8787: workerPort,
    4101: remote[0],
    4102: remote[1],
    4103: remote[2],
    3101: local[0],
    3102: local[1],
    3103: local[2],
  };
  await writeFile(
    configPath,
    example.replace(/:(\d{4})\b/g, (text, port) => (port in ports ? `:${ports[port]}` : text)),
  );

  started.push({ what: "the session", end: () => linkup("stop", "--all") });
  const session = JSON.parse(await linkup("start", "--config", configPath, "--detach", "--json"));
  return { session, configPath, workspace, home, token, workerPort, remote, local, linkup, worker };
}

async function build() {
  // The sizes that it prints are for those who change Linkup.
  const stdio = ["ignore", "ignore", "inherit"];
  const child = spawn(process.execPath, [join(root, "esbuild.mjs")], { cwd: root, stdio });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error("the build failed.");
}

/** Starts all three services as one copy; resolves when all of them listen. */
async function startCopies(copy, ports, workerPort) {
  const script = join(root, "examples/shop/start.mjs");
  const argv = [script, "--copy", copy, "--ports", ports.join(","), "--worker-port", String(workerPort)];
  if (values.lose) argv.push("--lose", values.lose);
  // A group of its own: Ctrl-C is for this process, which then ends its children in order.
  const child = spawn(process.execPath, argv, {
    stdio: ["ignore", "pipe", "inherit"],
    detached: process.platform !== "win32",
  });
  const exited = once(child, "exit");
  started.push({
    what: `the ${copy} copies`,
    end: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  });
  await new Promise((ready, failed) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "ready") ready();
      else console.log(`    ${line}`);
    });
    exited.then(() => failed(new Error(`the ${copy} copies did not start.`)));
  });
}

/** Runs the `linkup` command and gives what it printed; throws with what it complained about. */
async function linkup(...args) {
  const child = spawn(process.execPath, [join(root, "dist/cli.js"), ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`linkup ${args[0]} ended with exit code ${code}:\n${err || out}`);
  return out;
}

function describe({ session, configPath, workerPort, home }) {
  const url = session.urls[0];
  const name = session.session_name;
  const cli = `LINKUP_HOME=${home} LINKUP_WORKER_TOKEN=${token} node dist/cli.js`;
  console.log(`
Your session is ready:

    ${url}

Open it in a browser: every card says which copy answered. Then, in another terminal:

    ${cli} route local api --session ${name}
    ${cli} route remote --all --session ${name}
    ${cli} status

The page follows each change. The same system answers without the session's host name, too:

    curl -i -H 'tracestate: linkup-session=${name}' http://api.shop.localhost:${workerPort}/api/whoami
    curl -i -H 'Referer: ${url}' http://api.shop.localhost:${workerPort}/api/whoami
    curl -i http://api.shop.localhost:${workerPort}/api/whoami        # 422: no session

The configuration: ${configPath}
`);
}

async function check(demo) {
  let failed = 0;
  console.log();
  for (const { claim, holds } of claims(demo)) {
    const problem = await holds().then(
      () => undefined,
      (error) => error,
    );
    console.log(`${problem ? "FAILED" : "ok    "}  ${claim}`);
    if (problem) console.log(`        ${problem.message.replaceAll("\n", "\n        ")}`);
    if (problem) failed++;
  }
  return failed;
}

/** Opens VS Code on the session, when `code` is on the PATH: an instance of its own, that ends with the demo. */
async function openEditor({ workspace }) {
  const names = process.platform === "win32" ? ["code.cmd"] : ["code"];
  const found = (process.env.PATH ?? "")
    .split(delimiter)
    .some((path) => names.some((name) => existsSync(join(path, name))));
  if (!found) {
    console.log(
      "VS Code's `code` is not on the PATH. To see the session there, open this folder in it and press F5.",
    );
    return;
  }
  const profile = join(folder, "code");
  const flags = [
    "--user-data-dir",
    profile,
    "--extensions-dir",
    join(profile, "extensions"),
    "--skip-welcome",
  ];
  flags.push("--skip-release-notes", "--disable-workspace-trust", "--disable-telemetry");
  const editor = spawn(names[0], [...flags, `--extensionDevelopmentPath=${root}`, workspace], {
    env,
    stdio: "ignore",
    shell: process.platform === "win32",
  });
  editor.on("error", (error) => console.error(`VS Code could not be opened: ${error.message}`));
  started.push({ what: "VS Code", end: async () => endEditor(profile) });
  console.log("VS Code opens with the session: click the link icon in its activity bar.");
}

/** `code` returns at once; the instance of a profile notes its pid in the profile. */
function endEditor(profile) {
  const lock = join(profile, "code.lock");
  if (!existsSync(lock)) return;
  try {
    process.kill(Number(readFileSync(lock, "utf8")), "SIGTERM");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

function step(text) {
  console.log(`  ${text}…`);
}
