/** Pending deletions: sessions that ended while their Worker was unreachable. */
import { text } from "../../../core/text.ts";
import { LinkupError, problem, textOf } from "../../model/problem.ts";
import { isDesired } from "../../model/records.ts";
import type { PendingDeletion, SessionRecord, State } from "../../model/state.ts";
import { backoffMs, isDue } from "../../model/supervision.ts";
import type { Store } from "../../store/store.ts";
import { WorkerClient } from "./worker-client.ts";

/** Timeout for the network during a stop. */
const TIMEOUT_MS = 4_000;
/** After this time the Worker has expired the session by itself. */
const EXPIRED_MS = 7 * 24 * 3600_000;
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;

type EndedSession = Pick<
  PendingDeletion,
  "name" | "worker_url" | "worker_token" | "session_token" | "keep_tunnel"
>;

/** Deletes a session from its Worker. Rejects with a LinkupError. */
export async function deleteFromWorker(ended: EndedSession): Promise<void> {
  const { name, worker_url, worker_token, session_token, keep_tunnel = false } = ended;
  await new WorkerClient(worker_url, worker_token, TIMEOUT_MS).deleteSession(name, {
    keepTunnel: keep_tunnel,
    sessionToken: session_token,
  });
}

/** The pending deletion to keep after a failed attempt. `before`: the one of an earlier attempt. */
export function pendingDeletion(
  left: EndedSession,
  why: Error,
  now: number,
  before?: PendingDeletion,
): PendingDeletion {
  const failures = (before?.failures ?? 0) + 1;
  const { name, worker_url, worker_token, session_token, keep_tunnel } = left;
  const reason = why instanceof LinkupError ? textOf(why.problem) : why.message;
  return {
    name,
    worker_url,
    worker_token,
    ...(session_token === undefined ? {} : { session_token }),
    ...(keep_tunnel ? { keep_tunnel } : {}),
    ended: before?.ended ?? now,
    failures,
    retry_at: now + backoffMs(failures, FIRST_RETRY_MS, LONGEST_RETRY_MS),
    problem: problem(
      "session-left",
      text(
        "{0} ended, but could not be deleted from the Worker. {1} Linkup tries again at the next command and while a window is open; unused, the session expires by itself.",
        name,
        reason,
      ),
    ),
  };
}

/** Retries deletions that are due. Never rejects for an unreachable Worker. Only in a transaction. */
export async function retryDeletions(store: Store, now: number): Promise<void> {
  const { pending_deletions, sessions } = await store.read();
  await Promise.all(
    pending_deletions.filter((left) => isDue(left, now)).map((left) => tryAgain(store, left, sessions, now)),
  );
}

async function tryAgain(
  store: Store,
  left: PendingDeletion,
  sessions: readonly SessionRecord[],
  now: number,
): Promise<void> {
  let next: PendingDeletion | undefined;
  // The name may be in use again by then.
  if (!sessions.some((record) => isSame(record, left)) && now - left.ended < EXPIRED_MS) {
    try {
      await deleteFromWorker(left);
    } catch (error) {
      next = pendingDeletion(left, error as Error, now, left);
    }
  }
  await store.change((state) => replacePendingDeletion(state, left, next));
}

function isSame(record: SessionRecord, { name, worker_url }: EndedSession): boolean {
  return isDesired(record) && record.name === name && record.config.linkup.worker_url === worker_url;
}

/** Replaces the pending deletion of the same session by `next`. */
export function replacePendingDeletion(
  state: State,
  { name, worker_url }: EndedSession,
  next: PendingDeletion | undefined,
): void {
  state.pending_deletions = [
    ...state.pending_deletions.filter((other) => other.name !== name || other.worker_url !== worker_url),
    ...(next ? [next] : []),
  ];
}
