/** Stops sessions and the components that only they needed. */

import { text } from "../../core/text.ts";
import { WorkerClient } from "../components/worker-api/worker-client.ts";
import { applyStop, type SessionIntent } from "../model/intents.ts";
import { LinkupError, updateWorker } from "../model/problem.ts";
import { findRunning, isDesired, isPresent, type Selector } from "../model/records.ts";
import type { State } from "../model/state.ts";
import { endProcess, waitForEnd } from "../process/child.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";

/** The keeper normally exits within a moment. */
const KEEPER_END_MS = 5_000;

/** Ends everything even if the state cannot be written; then it rejects with a LinkupError that says so. */
export async function stopSessions(loop: ControlLoop, selector: Selector | "all"): Promise<void> {
  const { store, reconciler } = loop;
  try {
    await stopping(loop, (state) => applyStop(state, selector));
  } catch (error) {
    if (!(error instanceof LinkupError && error.problem.code === "state-unusable")) throw error;
    const state = await store.read();
    const ended = selector === "all" ? state.sessions.filter(isPresent) : [findRunning(state, selector)];
    if (ended.length === 0) throw error;
    const { stopUnwritten } = await import("../reconcile/stop-unwritten.ts");
    await stopUnwritten(reconciler, state, ended, error);
  }
}

export async function endSession(loop: ControlLoop, id: string): Promise<void> {
  await stopping(loop, ({ sessions }) => {
    for (const record of sessions) if (record.id === id) record.desired = "stopped";
  });
}

/** Resolves when everything unneeded has ended, the keeper included. */
async function stopping(loop: ControlLoop, change: (state: State) => void): Promise<void> {
  const { store, reconciler } = loop;
  // A start that is under way in this process sees it at once, and gives up.
  if (store.isOpen) {
    await store.change(change);
    await reconciler.sessionReconciler.cancelUnwanted();
    await loop.reconcile();
  } else await loop.reconcile(change);
  const { keeper, exiting_keeper } = await store.read();
  if (keeper === null && exiting_keeper && !(await waitForEnd(exiting_keeper, KEEPER_END_MS)))
    await endProcess(exiting_keeper);
}

/** Env files that still hold the block of an ended session because they could not be written. Retried later. */
export async function envFilesLeft({ store, reconciler }: ControlLoop): Promise<string[]> {
  const { sessions } = await store.read();
  const entries = await reconciler.sessionReconciler.envFiles.entries();
  const ended = entries.filter(
    ({ sessions: users }) => !sessions.some((record) => users.includes(record.id) && isDesired(record)),
  );
  return ended.map(({ path }) => path);
}

/** Stops this machine's sessions that match the pattern (`*` for any characters); returns their names. */
export async function deleteOnMachine(loop: ControlLoop, pattern: string): Promise<string[]> {
  const { sessions } = await loop.store.read();
  const names = sessions.filter(isPresent).flatMap(({ name }) => name ?? []);
  const here = names.filter(namePattern(pattern));
  for (const name of here) await stopSessions(loop, { name });
  return here;
}

/** Deletes matching sessions of the file's Worker. Rejects with a LinkupError. */
export async function deleteOnWorker(
  pattern: string,
  { config, workerToken }: SessionIntent,
): Promise<string[]> {
  const worker = new WorkerClient(config.linkup.worker_url, workerToken ?? "");
  const { capabilities = [] } = (await worker.capabilities()) ?? {};
  if (!capabilities.includes("delete-by-pattern")) {
    throw new LinkupError(
      "worker-failed",
      text("The Worker at {0} cannot delete sessions: they expire there.", worker.url),
      [updateWorker],
    );
  }
  return worker.deleteSessions(pattern);
}

/** Tests names against a pattern in which `*` stands for any characters. */
export function namePattern(pattern: string): (name: string) => boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[^a-z0-9-]/g, "\\$&"));
  const regex = new RegExp(`^${parts.join(".*")}$`);
  return (name) => regex.test(name);
}
