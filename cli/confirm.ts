/** Asks before something is changed that cannot be seen from here. */
import { createInterface } from "node:readline/promises";
import { UsageError } from "./exit-codes.ts";

export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError("There is nobody to ask: give --yes.");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
