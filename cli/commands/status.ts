/** `linkup status` */
import { ControlClient } from "../../manager/components/local-server/control-client.ts";
import { LinkupError } from "../../manager/model/problem.ts";
import { reportedSnapshot, type Snapshot } from "../../manager/model/snapshot.ts";
import { Observer } from "../../manager/reconcile/observer.ts";
import { Store } from "../../manager/store/store.ts";
import { stateHome } from "../../node/home.ts";
import { printResult } from "../print/output.ts";
import { statusText } from "../print/status.ts";
import { exitWhenOutputCloses } from "../print/stdout-errors.ts";
import { version } from "../version.ts";

/** How long to wait for health probes. The health of a slower service is "unknown". */
const PROBE_TIMEOUT_MS = 300;

export async function status(options: { session?: string; json?: boolean; watch?: boolean }): Promise<void> {
  // It changes nothing, and so needs nothing of the manager but its eyes: the rest takes longer to load.
  const home = stateHome(process.env);
  const observer = new Observer(new Store(home), new ControlClient(home), version);
  const show = (snapshot: Snapshot) => {
    const shown = options.session === undefined ? snapshot : only(snapshot, options.session);
    // Clears the screen.
    if (options.watch && process.stdout.isTTY) process.stdout.write("\x1b[H\x1b[2J");
    printResult(options.json, reportedSnapshot(shown), () => statusText(shown));
  };
  if (options.watch) exitWhenOutputCloses();
  show(await observer.refresh(PROBE_TIMEOUT_MS));
  if (!options.watch) return;
  observer.onDidChange(show);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await observer.refresh();
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
