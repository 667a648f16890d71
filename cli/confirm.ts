/** Asks the user before a change. */
import { createInterface } from "node:readline/promises";
import { UsageError } from "./exit-codes.ts";
import { terminalText } from "./print/output.ts";

export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError("Cannot prompt without a terminal; use --yes.");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(terminalText(`${question} [y/N] `))).trim());
  } finally {
    terminal.close();
  }
}
