/** The built local server as a child process, in a home of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import type { ServerStatus } from "../../../core/api/control-api.ts";
import { controlAddress } from "../../../node/control-address.ts";
import { dist } from "../../support/bundles.ts";

export const localServerBundle = async () => join(await dist(), "local-server.js");
/** The local server with a stand-in for public origins, at the port `STAND_IN_PUBLIC_ORIGIN_PORT` of this machine. */
export function standInPublicOriginBundle(): Promise<string> {
  standIn ??= (async () => {
    const outfile = join(newHome(), "bundle.js");
    await build({
      entryPoints: ["test/integration/local-server/stand-in-public-origin.ts"],
      outfile,
      bundle: true,
      platform: "node",
      target: "node22",
      format: "cjs",
      logLevel: "warning",
    });
    return outfile;
  })();
  return standIn;
}
let standIn: Promise<string> | undefined;

export const localDnsBundle = async () => join(await dist(), "local-dns.js");

interface Answer {
  status: number;
  /** Parsed JSON; undefined without a body. */
  body: unknown;
}

export interface RunningServer {
  home: string;
  status: ServerStatus;
  process: ChildProcess;
  /** All it has logged so far. */
  log(): string;
  control(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Its exit code, once it has ended. */
  ended: Promise<number | null>;
  /** Ends it and removes its home. */
  [Symbol.asyncDispose](): Promise<void>;
}

const homes: string[] = [];
process.once("exit", () => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** A directory that goes with the tests. */
export function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), "linkup-home-"));
  homes.push(home);
  return home;
}

export async function spawnLocalServer(
  home: string,
  args: string[],
  env: Record<string, string> = {},
  bundle = localServerBundle(),
) {
  return spawnBundle(await bundle, home, args, env);
}

export function spawnBundle(bundle: string, home: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [bundle, "--home", home, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended, log: () => text };
}

export async function startLocalServer(
  args: string[] = ["--browser-port", "0"],
  {
    home = newHome(),
    env = {},
    bundle = localServerBundle(),
  }: { home?: string; env?: Record<string, string>; bundle?: Promise<string> } = {},
): Promise<RunningServer> {
  const { child, ended, log } = await spawnLocalServer(home, args, env, bundle);
  const control = (method: string, path: string, body?: unknown) => callControl(home, method, path, body);
  let over = false;
  void ended.then(() => (over = true));
  let status: ServerStatus | undefined;
  while (!status) {
    if (over) throw new Error(`The local server ended before it was ready:\n${log()}`);
    status = await control("GET", "/v1/status").then(
      ({ body }) => body as ServerStatus,
      () => sleep(20, undefined),
    );
  }
  return {
    home,
    status,
    process: child,
    log,
    control,
    ended,
    async [Symbol.asyncDispose]() {
      if (!over) child.kill("SIGTERM");
      await ended;
    },
  };
}

export function callControl(home: string, method: string, path: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath: controlAddress(home),
        method,
        path,
        // A kept connection may have been closed while this process was busy.
        agent: false,
        headers: body === undefined ? {} : { "content-type": "application/json" },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => (text += chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: text ? JSON.parse(text) : undefined }),
        );
        response.on("error", reject);
      },
    );
    call.on("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
