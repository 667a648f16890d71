/** `linkup status` */
import { LinkupError } from "../../manager/model/problem.ts";
import { reportedSnapshot, type Snapshot } from "../../manager/model/snapshot.ts";
import { newManager } from "../context.ts";
import { printResult } from "../print/output.ts";
import { statusText } from "../print/status.ts";
import { exitWhenOutputCloses } from "../print/stdout-errors.ts";

/** How long to wait for health probes. The health of a slower service is "unknown". */
const PROBE_TIMEOUT_MS = 300;

export async function status(options: { session?: string; json?: boolean; watch?: boolean }): Promise<void> {
  const manager = newManager({ keep: false });
  const show = (snapshot: Snapshot) => {
    const shown = options.session === undefined ? snapshot : only(snapshot, options.session);
    // Clears the screen.
    if (options.watch && process.stdout.isTTY) process.stdout.write("\x1b[H\x1b[2J");
    printResult(options.json, reportedSnapshot(shown), () => statusText(shown));
  };
  if (options.watch) exitWhenOutputCloses();
  show(await manager.refresh(PROBE_TIMEOUT_MS));
  if (!options.watch) return;
  manager.onDidChange(show);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await manager.refresh();
  }
}

function only(snapshot: Snapshot, name: string): Snapshot {
  const sessions = snapshot.sessions.filter((session) => session.name === name);
  if (sessions.length > 0) return { ...snapshot, sessions };
  const names = snapshot.sessions.map(({ name }) => name).join(", ");
  throw new LinkupError(
    "session-unknown",
    `There is no session "${name}". ${names ? `Running: ${names}.` : "No session is running."}`,
  );
}
