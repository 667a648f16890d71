/** The journal of changes to this system and their undo commands. Written before each change, so that a crash loses nothing. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../../../node/atomic-file.ts";
import type { UndoStep } from "../system/step.ts";

export interface JournalEntry {
  title: string;
  undo: UndoStep[];
}

export interface Journal {
  version: 1;
  /** The domains that the installation was asked for. */
  domains: string[];
  method: string;
  /** When the authority expires, in milliseconds since the epoch; missing from journals of older versions. */
  ends?: number;
  /** In the order in which they were made. */
  entries: JournalEntry[];
}

export function journalFile(home: string): string {
  return join(home, "system-changes.json");
}

/** Undefined without a journal. Throws an Error when the file is not a valid journal. */
export async function readJournal(home: string): Promise<Journal | undefined> {
  const file = journalFile(home);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const journal = JSON.parse(text) as Partial<Journal>;
  if (journal.version !== 1 || !Array.isArray(journal.entries))
    throw new Error(
      `${file} was written by another version of Linkup: uninstall local DNS with that version.`,
    );
  return journal as Journal;
}

/** True when the system's resolver sends some domains to local DNS, which then has to run. */
export function asksLocalDns(journal: Journal | undefined): journal is Journal {
  return journal !== undefined && journal.method !== "hosts-file";
}

export async function writeJournal(home: string, journal: Journal): Promise<void> {
  await writeAtomically(journalFile(home), `${JSON.stringify(journal, null, 2)}\n`);
}

export async function removeJournal(home: string): Promise<void> {
  await rm(journalFile(home), { force: true });
}
