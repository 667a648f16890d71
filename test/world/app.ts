/** Programs of other people's frameworks, started as their users start them, from the folders in apps/. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { until } from "../integration/manager/world.ts";

const APPS = join(import.meta.dirname, "apps");
/** Makes the hosts of sessions known to a program of Node.js, by `--import`. */
export const RESOLVE = join(APPS, "resolve.mjs");
/** Compilers of frameworks take a while on a busy machine. */
const START_MS = 120_000;
const CLIENT_MS = 60_000;

/** Where the packages of package.json are installed; undefined without `npm run test:world`. */
const installed = existsSync(join(import.meta.dirname, "node_modules"))
  ? dirname(realpathSync(join(import.meta.dirname, "node_modules")))
  : undefined;
export const PYTHON = process.env.LINKUP_WORLD_PYTHON;

export interface App {
  name: string;
  port: number;
  /** As linkup.yaml names it. */
  url: string;
  /** A copy of the app's folder: what is written there is seen by the framework's watcher. */
  folder: string;
  write(file: string, content: string): void;
  output(): string;
  stop(): Promise<void>;
}

export interface AppCommand {
  /** The folder in apps/, when the name is another one. */
  folder?: string;
  argv(port: number): string[];
  /** Asked until it is answered, which also compiles it; `/page` when not given. */
  ready?: string;
  /** Ready when it accepts a connection: it is no server of HTTP/1.1. */
  connects?: true;
  /** Where the handlers that several frameworks share are put. */
  answers?: string;
  env?: Record<string, string>;
}

/**
 * Runs a client's program of `apps/NAME` to its end, for which the hosts of sessions are on this machine. Returns the JSON
 * that it prints; rejects with what it said when it fails.
 */
export async function runClient<T>(name: string, file: string, ...args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [`--import=${RESOLVE}`, file, ...args], {
    cwd: join(APPS, name),
    timeout: CLIENT_MS,
    env: { PATH: process.env.PATH },
  });
  return JSON.parse(stdout);
}

/** Starts the program of `apps/NAME` on this port. Rejects with what it said when it does not serve. */
export async function startApp(name: string, port: number, command: AppCommand): Promise<App> {
  if (!installed) throw new Error("Its packages are missing: npm run test:world installs them");
  // Below the folder of the packages: bundlers take nothing from outside of their root.
  const folder = join(installed, "running", `${process.pid}-${name}`);
  mkdirSync(dirname(folder), { recursive: true });
  cpSync(join(APPS, command.folder ?? name), folder, { recursive: true });
  if (command.answers) cpSync(join(APPS, "answers.mjs"), join(folder, command.answers, "answers.mjs"));
  const [program, ...args] = command.argv(port);
  const child = spawn(program!, args, {
    cwd: folder,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: `${join(installed, "node_modules/.bin")}:${process.env.PATH}`,
      HOME: folder,
      PORT: String(port),
      PYTHONPATH: process.env.PYTHONPATH ?? "",
      PYTHONDONTWRITEBYTECODE: "1",
      ASTRO_TELEMETRY_DISABLED: "1",
      NEXT_TELEMETRY_DISABLED: "1",
      ...command.env,
    },
  });
  const closed = once(child, "close");
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      said = (said + chunk).slice(-20_000);
    });
  }
  // With its children, of which bundlers have some.
  const kill = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {}
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once("exit", kill);
  const url = `http://localhost:${port}`;
  const stop = async () => {
    process.off("exit", kill);
    kill();
    await closed;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await until(
      `an answer of ${name}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}`);
        if (command.connects) return await accepts(port);
        const signal = AbortSignal.timeout(30_000);
        const response = await fetch(`${url}${command.ready ?? "/page"}`, { signal }).catch(() => undefined);
        await response?.text();
        return response !== undefined && response.status < 500;
      },
      START_MS,
    );
  } catch (error) {
    await stop();
    throw new Error(`${name} does not serve: ${(error as Error).message}\n${said}`);
  }
  return {
    name,
    port,
    url,
    folder,
    output: () => said,
    write: (file, content) => writeFileSync(join(folder, file), content),
    stop,
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: "localhost", port });
  const [error] = await Promise.race([once(socket, "connect"), once(socket, "error")]).catch((e) => [e]);
  socket.destroy();
  return !error;
}
