/** `linkup status` */
import { LinkupError } from "../../manager/model/problem.ts";
import type { Snapshot } from "../../manager/model/snapshot.ts";
import { newManager } from "../context.ts";
import { endWithReader } from "../print/reader-gone.ts";
import { statusText } from "../print/status.ts";

/** A service that takes longer to answer is "unknown": its slowness is not that of this command. */
const PATIENCE_MS = 300;

export async function status(options: { session?: string; json?: boolean; watch?: boolean }): Promise<void> {
  const manager = newManager({ keep: false });
  const show = (snapshot: Snapshot) => {
    const shown = options.session === undefined ? snapshot : only(snapshot, options.session);
    if (options.watch && process.stdout.isTTY) process.stdout.write("\x1b[H\x1b[2J");
    process.stdout.write(options.json ? `${JSON.stringify(shown)}\n` : statusText(shown));
  };
  if (options.watch) endWithReader();
  show(await manager.refresh(PATIENCE_MS));
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
