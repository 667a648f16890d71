/** Asks the user before a change. */
import { createInterface } from "node:readline/promises";
import type { Manager } from "../manager/manager.ts";
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

/**
 * Asks once whether the Worker that this file names may be sent the user's token. Without a terminal nothing is asked,
 * and the manager refuses.
 */
export async function confirmWorker(
  manager: Manager,
  configPath: string,
  { json }: { json?: boolean },
): Promise<void> {
  if (json || !process.stdin.isTTY || !process.stderr.isTTY) return;
  const origin = await manager.workerToConfirm(configPath);
  if (origin === undefined) return;
  const question = `${configPath} names the Worker ${origin}, which has never received your token. Send it there, now and in future?`;
  if (await confirmed(question)) await manager.confirmWorker(origin);
}
