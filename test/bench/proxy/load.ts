/** Load on the second core, and the CPU that a proxy needs for it. */
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { cpuSeconds } from "./cpu.ts";
import { HOST, OURS, type Stack } from "./stacks.ts";

export interface Requests {
  requests: number;
  connections: number;
  /** At once on each connection, where it speaks HTTP/2. */
  streams?: number;
  http2: boolean;
  /** A `traceparent` of its own in each request. */
  freshHeads: boolean;
  file: string;
  /** More arguments for h2load. */
  args?: string[];
}

export interface Load extends Requests {
  name: string;
  /** Requests whose CPU seconds are the figure. */
  per: number;
  unit: string;
  /** The largest multiple of what the other needs. */
  targets: { stack: string; ratio: number }[];
}

/** Runs the load and returns the proxy's CPU seconds; NaN when another's failed requests. Throws when ours did. */
export function run(stack: Stack, load: Requests): number {
  const before = cpuSeconds(stack.process.pid!);
  const [command, ...args] = commandFor(stack, load);
  const { stdout } = spawnSync(command, args, { encoding: "utf8" });
  return succeeded(stack, load, stdout) ? cpuSeconds(stack.process.pid!) - before : Number.NaN;
}

/** The load for each of several servers of ours at the same time. Returns the CPU seconds of each. Throws when a request failed. */
export async function runTogether(stacks: Stack[], load: Requests): Promise<number[]> {
  const before = stacks.map((stack) => cpuSeconds(stack.process.pid!));
  await Promise.all(
    stacks.map(async (stack) => {
      const [command, ...args] = commandFor(stack, load);
      const { stdout } = await promisify(execFile)(command, args);
      succeeded(stack, load, stdout);
    }),
  );
  return stacks.map((stack, i) => cpuSeconds(stack.process.pid!) - before[i]!);
}

function commandFor({ port }: Stack, load: Requests): [string, ...string[]] {
  const { connections, streams = 1, http2, freshHeads, file, args = [] } = load;
  const requests = String(load.requests);
  const pinned: [string, ...string[]] = ["taskset", "-c", "1"];
  if (freshHeads) {
    const script = join(import.meta.dirname, "fresh-heads.ts");
    const version = http2 ? "h2" : "h1";
    return [
      ...pinned,
      process.execPath,
      script,
      version,
      String(port),
      file,
      requests,
      String(http2 ? streams : connections),
    ];
  }
  const options = ["-c", String(connections), "-m", String(streams), "-n", requests, ...args];
  const version = http2 ? [] : ["--h1"];
  const url = `https://${HOST}/${file}`;
  return [...pinned, "h2load", ...version, ...options, `--connect-to=127.0.0.1:${port}`, url];
}

function succeeded({ name }: Stack, { file, requests }: Requests, stdout: string): boolean {
  const answered = /(\d+) succeeded/.exec(stdout)?.[1];
  const ok = /status codes: (\d+) 2xx/.exec(stdout)?.[1];
  if (Number(answered) === requests && Number(ok) === requests) return true;
  // A failed request of ours is a fault, not a figure.
  if (name === OURS) throw new Error(`${name} failed ${file}:\n${stdout}`);
  console.log(
    `${name} failed ${requests - Number(ok ?? 0)} of ${requests} requests for ${file}: not counted.`,
  );
  return false;
}
