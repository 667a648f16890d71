/** Load from h2load on the second core, and the CPU that a proxy needs for it. */
import { spawnSync } from "node:child_process";
import { cpuSeconds } from "./cpu.ts";
import { HOST, OURS, type Stack } from "./stacks.ts";

export interface Load {
  name: string;
  requests: number;
  args: string[];
  /** CPU seconds for so many requests are the figure. */
  per: number;
  unit: string;
  http2: boolean;
  /** At most so many times what the other needs. */
  targets: { stack: string; ratio: number }[];
}

/** Runs the load and returns the proxy's CPU seconds; NaN when another's failed requests. Throws when ours did. */
export function run(stack: Stack, { args, requests }: Pick<Load, "args" | "requests">): number {
  const pid = stack.process.pid!;
  const before = cpuSeconds(pid);
  const path = args.at(-1);
  const options = [...args.slice(0, -1), "-n", String(requests), `--connect-to=127.0.0.1:${stack.port}`];
  const { stdout } = spawnSync("taskset", ["-c", "1", "h2load", ...options, `https://${HOST}/${path}`], {
    encoding: "utf8",
  });
  const succeeded = /(\d+) succeeded/.exec(stdout)?.[1];
  const ok = /status codes: (\d+) 2xx/.exec(stdout)?.[1];
  if (Number(succeeded) !== requests || Number(ok) !== requests) {
    if (stack.name === OURS) throw new Error(`${stack.name} failed ${path}:\n${stdout}`);
    console.log(
      `${stack.name} failed ${requests - Number(ok ?? 0)} of ${requests} requests for ${path}: not counted.`,
    );
    return Number.NaN;
  }
  return cpuSeconds(pid) - before;
}
