/**
 * Two states of the code, asked at the same time on one core, two servers of each: what else the machine does meets them alike, and
 * two processes of one program differ for as long as they live.
 */
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { mean, median, standardError } from "../statistics.ts";
import { type Load, runTogether } from "./load.ts";
import { localServerFolder, type StackSetup, startOurs } from "./stacks.ts";

const SERVERS = 2;

/** Prints what the code needs against the bundles in this folder. */
export async function compareBefore(
  place: StackSetup,
  folder: string,
  loads: readonly Load[],
  { warmUps, rounds, processes }: { warmUps: number; rounds: number; processes: ChildProcess[] },
): Promise<void> {
  const folders = [await localServerFolder(), folder];
  const stacks = [];
  for (let i = 0; i < SERVERS * folders.length; i++) {
    const bundle = join(folders[i % folders.length]!, "local-server.js");
    const stack = await startOurs(place, `state-${i}`, [], bundle);
    processes.push(stack.process);
    stacks.push(stack);
  }
  for (const load of loads) {
    for (let i = 0; i < warmUps; i++) await runTogether(stacks, load);
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const seconds = await runTogether(stacks, load);
      const [now, before] = folders.map((_, f) => mean(seconds.filter((_, i) => i % folders.length === f)));
      ratios.push(now! / before!);
    }
    console.log(
      `${load.name}: ${median(ratios).toFixed(3)} × before (mean ${mean(ratios).toFixed(3)} ± ${standardError(ratios).toFixed(3)})`,
    );
  }
}
