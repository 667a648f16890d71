/** Starts a session and waits until it is ready. */

import { setTimeout as delay } from "node:timers/promises";
import { text } from "../../core/text.ts";
import { LinkupError, type Problem, problem, problemOf, textOf } from "../model/problem.ts";
import { isConnected, isDesired, needsThisMachine } from "../model/records.ts";
import type { SessionView } from "../model/snapshot.ts";
import type { SessionRecord, State } from "../model/state.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";
import { problemOfRecord } from "../reconcile/snapshot-of.ts";
import { endSession } from "./stop.ts";

/** How long a start waits for the tunnel. */
const CONNECT_MS = 50_000;
const POLL_MS = 100;
/** After this many failures in a row a start stops waiting. */
const HOPELESS = 3;

/**
 * `change` adds it to the desired state. `retried`: one that fails stays, for a watching process to try again; any other leaves
 * nothing behind. Rejects with a LinkupError, or with the signal's reason.
 */
export async function startSession(
  loop: ControlLoop,
  change: (state: State) => { id: string; adopted: boolean },
  { retried }: { retried: boolean },
  signal: AbortSignal | undefined,
): Promise<SessionView> {
  signal?.throwIfAborted();
  const { watcher, options } = loop;
  let wanted: { id: string; adopted: boolean } | undefined;
  let abandoned: Promise<void> | undefined;
  const abandon = () => {
    // One that ran before is not this start's to end.
    if (!wanted || wanted.adopted) return;
    abandoned = endSession(loop, wanted.id);
    // Awaited below; avoids an unhandled rejection until then.
    abandoned.catch(() => {});
  };
  signal?.addEventListener("abort", abandon, { once: true });
  try {
    const { id } = await loop.reconcile((state) => {
      // It may have come while the lock was waited for.
      signal?.throwIfAborted();
      wanted = change(state);
      return wanted;
    }, signal);
    await connected(loop, id, signal);
    await abandoned;
    signal?.throwIfAborted();
    return await started(loop, id);
  } catch (error) {
    const staying = retried && watcher.isRunning && problemOf(error, "worker-failed").code !== "name-taken";
    if (wanted && !wanted.adopted && !staying && !signal?.aborted)
      await endSession(loop, wanted.id).catch((later: Error) => options.log(later.message));
    throw error;
  } finally {
    signal?.removeEventListener("abort", abandon);
  }
}

/** Waits for the tunnel until it is ready, fails or times out. */
async function connected(loop: ControlLoop, id: string, signal: AbortSignal | undefined): Promise<void> {
  const until = performance.now() + CONNECT_MS;
  while (!signal?.aborted && performance.now() < until) {
    const record = await recordOf(loop, id);
    if (!record || !isDesired(record) || record.last_error || isConnected(record)) return;
    if (!record.connector || record.connector.failures >= HOPELESS) return;
    await delay(POLL_MS);
    await loop.reconcile();
  }
}

/** Returns the started session, or rejects with its problem. */
async function started(loop: ControlLoop, id: string): Promise<SessionView> {
  const record = await recordOf(loop, id);
  if (!record || !isDesired(record)) {
    throw new LinkupError("session-stopped", text("The session was stopped while it started."));
  }
  const found = await inTheWay(loop, record);
  if (!found) return loop.observer.session(id);
  throw new LinkupError(found.code, textOf(found), found.actions);
}

async function inTheWay({ store }: ControlLoop, record: SessionRecord): Promise<Problem | null> {
  const own = problemOfRecord(record);
  if (own || !needsThisMachine(record)) return own;
  const { local_server } = await store.read();
  if (local_server.problem || isConnected(record)) return local_server.problem;
  if (record.connector?.ready)
    return problem(
      "tunnel-failed",
      text(
        "cloudflared is connected, but no request arrived through {0} within {1} s. A new host name can take a few minutes to propagate. Start the session again: its tunnel is kept.",
        record.tunnel?.url ?? "",
        CONNECT_MS / 1000,
      ),
    );
  return problem(
    "tunnel-failed",
    text("cloudflared did not connect to Cloudflare within {0} s.", CONNECT_MS / 1000),
  );
}

async function recordOf({ store }: ControlLoop, id: string): Promise<SessionRecord | undefined> {
  return (await store.read()).sessions.find((record) => record.id === id);
}
