/** A row of the contract as something that can be tried. */
import type { World } from "./world.ts";

export interface Case {
  /** Section of the contract. */
  section: string;
  name: string;
  /** What the implementation must say it can do; a case without it is the contract of every implementation. */
  needs?: string;
  run(world: World): Promise<void>;
}

/** Collects the cases of one section. */
export function section(number: string) {
  const cases: Case[] = [];
  const add = (name: string, run: Case["run"]) => cases.push({ section: number, name, run });
  const ours = (needs: string, name: string, run: Case["run"]) =>
    cases.push({ section: number, name, needs, run });
  return { cases, contract: add, ours };
}
