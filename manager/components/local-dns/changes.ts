/** The changes to this system that are not undone yet, read from the journal. */
import { join } from "node:path";
import { inspectMachine } from "../system/machine.ts";
import { asAdministrator, asText } from "../system/step.ts";
import { readJournal } from "./journal.ts";

export interface SystemChange {
  /** Its purpose, in a sentence. */
  title: string;
  /** The commands that undo it, as typed in a terminal. */
  commands: string[];
}

/** In the order of undoing: the last change first. `home`: the state folder. */
export async function systemChanges(home: string, machine = inspectMachine()): Promise<SystemChange[]> {
  const journal = await readJournal(home);
  return (journal?.entries ?? []).toReversed().map(({ title, undo }) => ({
    title,
    commands: undo.map((each) =>
      asText("argv" in each ? each : asAdministrator("cp", join(home, "hosts"), each.hostsFile), machine),
    ),
  }));
}
