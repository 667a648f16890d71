/** A row of the contract as something that can be tried. */
import type { ProtocolWorld } from "./world.ts";

export interface Case {
  /** Section of the contract. */
  section: string;
  name: string;
  /** What the implementation must say it can do; a case without it is the contract of every implementation. */
  needs?: string;
  run(world: ProtocolWorld): Promise<void>;
}

/** Collects the cases of one section. */
export function section(number: string) {
  const cases: Case[] = [];
  const add = (name: string, run: Case["run"]) => cases.push({ section: number, name, run });
  const ours = (needs: string, name: string, run: Case["run"]) =>
    cases.push({ section: number, name, needs, run });
  return { cases, contract: add, ours };
}

/** Tries this until it holds; rejects with its last failure when the time is over. */
export async function within(ms: number, holds: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    const last = performance.now() >= deadline;
    try {
      return await holds();
    } catch (error) {
      if (last) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
