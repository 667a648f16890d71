/** What Linkup has changed on this system and not undone yet, read from the journal. */
import { join } from "node:path";
import { inspectMachine } from "../system/machine.ts";
import { admin, asText } from "../system/step.ts";
import { readJournal } from "./journal.ts";

export interface SystemChange {
  /** What it is for, in a sentence. */
  title: string;
  /** What undoes it, as it would be typed. */
  commands: string[];
}

/** In the order in which they are undone: the last one first. `home`: the state folder. */
export async function systemChanges(home: string, machine = inspectMachine()): Promise<SystemChange[]> {
  const journal = await readJournal(home);
  return (journal?.entries ?? []).toReversed().map(({ title, undo }) => ({
    title,
    commands: undo.map((each) =>
      asText("argv" in each ? each : admin("cp", join(home, "hosts"), each.hostsFile), machine),
    ),
  }));
}
