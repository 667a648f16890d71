/** Load from h2load on the second core, and the CPU that a proxy needs for it. */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { cpuSeconds } from "./cpu.ts";
import { HOST, OURS, type Stack } from "./stacks.ts";

export interface Load {
  name: string;
  requests: number;
  args: string[];
  /** Requests whose CPU seconds are the figure. */
  per: number;
  unit: string;
  http2: boolean;
  /** The largest multiple of what the other needs. */
  targets: { stack: string; ratio: number }[];
}

type Requests = Pick<Load, "args" | "requests">;

/** Runs the load and returns the proxy's CPU seconds; NaN when another's failed requests. Throws when ours did. */
export function run(stack: Stack, load: Requests): number {
  const before = cpuSeconds(stack.process.pid!);
  const [command, ...args] = h2load(stack, load);
  const { stdout } = spawnSync(command, args, { encoding: "utf8" });
  return succeeded(stack, load, stdout) ? cpuSeconds(stack.process.pid!) - before : Number.NaN;
}

/** The load for each of several servers of ours at the same time. Returns the CPU seconds of each. Throws when a request failed. */
export async function runTogether(stacks: Stack[], load: Requests): Promise<number[]> {
  const before = stacks.map((stack) => cpuSeconds(stack.process.pid!));
  await Promise.all(
    stacks.map(async (stack) => {
      const [command, ...args] = h2load(stack, load);
      const { stdout } = await promisify(execFile)(command, args);
      succeeded(stack, load, stdout);
    }),
  );
  return stacks.map((stack, i) => cpuSeconds(stack.process.pid!) - before[i]!);
}

function h2load({ port }: Stack, { args, requests }: Requests): [string, ...string[]] {
  const options = [...args.slice(0, -1), "-n", String(requests), `--connect-to=127.0.0.1:${port}`];
  return ["taskset", "-c", "1", "h2load", ...options, `https://${HOST}/${args.at(-1)}`];
}

function succeeded({ name }: Stack, { args, requests }: Requests, stdout: string): boolean {
  const answered = /(\d+) succeeded/.exec(stdout)?.[1];
  const ok = /status codes: (\d+) 2xx/.exec(stdout)?.[1];
  if (Number(answered) === requests && Number(ok) === requests) return true;
  const path = args.at(-1);
  if (name === OURS) throw new Error(`${name} failed ${path}:\n${stdout}`);
  console.log(
    `${name} failed ${requests - Number(ok ?? 0)} of ${requests} requests for ${path}: not counted.`,
  );
  return false;
}
