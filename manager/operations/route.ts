/** Changes a running session everywhere or nowhere: the targets of its services, its access, and its overrides. */

import type { Target } from "../../core/config/model/config-model.ts";
import type { SessionAccess } from "../../core/session/session-document.ts";
import { text } from "../../core/text.ts";
import { applyAccess, applyOverrides, applyShareTargets, applyTarget } from "../model/intents.ts";
import { LinkupError, problemOf, textOf } from "../model/problem.ts";
import { needsThisMachine, type Selector } from "../model/records.ts";
import type { SessionView } from "../model/snapshot.ts";
import type { SessionRecord, State } from "../model/state.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";

/** What to switch. */
export interface Toggle {
  selector: Selector;
  services: readonly string[] | "all";
  target: Target;
}

/** Which overrides to switch. */
export interface OverrideSwitch {
  selector: Selector;
  names: readonly string[] | "all";
  on: boolean;
}

/**
 * Resolves when the local server and the Worker have both confirmed; otherwise rolls back and rejects: with a LinkupError, or
 * with the signal's reason.
 */
export async function routeServices(
  loop: ControlLoop,
  { selector, services, target }: Toggle,
  signal: AbortSignal,
): Promise<SessionView> {
  const change = (state: State) => {
    const { id, before, routedBy } = applyTarget(state, selector, services, target);
    const undo = (record: SessionRecord) => {
      record.targets = before;
      if (routedBy) record.routed_by = routedBy;
      else delete record.routed_by;
    };
    return { id, undo };
  };
  return changeEverywhere(loop, change, (cause) => toggleFailed(services, target, cause), signal);
}

/** Resolves and rejects as `routeServices` does. */
export async function changeAccess(
  loop: ControlLoop,
  selector: Selector,
  access: SessionAccess,
  signal: AbortSignal,
): Promise<SessionView> {
  return changeEverywhere(loop, (state) => applyAccess(state, selector, access), accessFailed, signal);
}

/** Lets other sessions route to this one's services, or not. Resolves and rejects as `routeServices` does. */
export function shareTargets(
  loop: ControlLoop,
  selector: Selector,
  shared: boolean,
  signal: AbortSignal,
): Promise<SessionView> {
  return changeEverywhere(loop, (state) => applyShareTargets(state, selector, shared), accessFailed, signal);
}

/** Resolves and rejects as `routeServices` does. */
export async function switchOverrides(
  loop: ControlLoop,
  { selector, names, on }: OverrideSwitch,
  signal: AbortSignal,
): Promise<SessionView> {
  return changeEverywhere(
    loop,
    (state) => applyOverrides(state, selector, names, on),
    (cause) => overridesFailed(cause),
    signal,
  );
}

async function changeEverywhere(
  loop: ControlLoop,
  change: (state: State) => { id: string; undo(record: SessionRecord): void },
  failed: (cause: unknown) => LinkupError,
  signal: AbortSignal,
): Promise<SessionView> {
  const { store, observer, reconciler } = loop;
  return store.transaction(async () => {
    const { id, undo } = await store.change(change);
    const cancel = () => reconciler.sessionReconciler.cancel(id, signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    await observer.showState();
    try {
      await follow(loop, id, signal);
    } catch (error) {
      await rollBack(loop, id, undo, error);
      await observer.look();
      signal.throwIfAborted();
      throw failed(error);
    } finally {
      signal.removeEventListener("abort", cancel);
    }
    return observer.session(id);
  }, signal);
}

/** Sends the session to the local server, unless it is a preview, and to the Worker. */
async function follow({ reconciler, store }: ControlLoop, id: string, signal?: AbortSignal): Promise<void> {
  const { sessions } = await store.read();
  if (sessions.some((record) => record.id === id && !needsThisMachine(record)))
    return await reconciler.sessionReconciler.publish(id, undefined);
  const server = await reconciler.localServer.ensure();
  if (!server) throw new LinkupError("local-server-failed", text("The local server is not running."));
  signal?.throwIfAborted();
  await reconciler.sessionReconciler.route(id, server);
}

/** A Worker that did not answer is told by the control loop, which tries again: the user waits for it once. */
async function rollBack(
  loop: ControlLoop,
  id: string,
  undo: (record: SessionRecord) => void,
  cause: unknown,
): Promise<void> {
  const { reconciler, store } = loop;
  await store.change(({ sessions }) => {
    for (const record of sessions) if (record.id === id) undo(record);
  });
  try {
    if (answers(cause)) return await follow(loop, id);
    const server = await reconciler.localServer.ensure();
    if (server) await reconciler.sessionReconciler.maintain(id, server);
    await reconciler.recordError(id, unanswered(cause, (await loop.observer.session(id)).workerUrl));
  } catch (error) {
    await reconciler.recordError(id, error);
  }
}

/** False where the Worker did not answer, or not in time. */
function answers(cause: unknown): boolean {
  return cause instanceof LinkupError && cause.problem.code !== "worker-unreachable";
}

function unanswered(cause: unknown, workerUrl: string): unknown {
  if (cause instanceof LinkupError) return cause;
  return new LinkupError("worker-unreachable", text("The Worker at {0} has not answered.", workerUrl), [
    { command: "restart", title: "Try Again", terminal: "linkup start" },
  ]);
}

/** What a failed toggle says: where the services stay, and why. */
export function toggleFailed(
  services: readonly string[] | "all",
  target: Target,
  cause: unknown,
): LinkupError {
  const found = problemOf(cause, "toggle-failed");
  if (found.code === "session-stopped") return cause as LinkupError;
  const why = textOf(found);
  const message =
    services === "all"
      ? text("The services were not switched to {0}: {1}", target, why)
      : text("{0} was not switched to {1}: {2}", services.join(", "), target, why);
  return new LinkupError("toggle-failed", message, found.actions, { cause });
}

/** What a failed change of the access says. */
export function accessFailed(cause: unknown): LinkupError {
  const found = problemOf(cause, "access-failed");
  if (["session-stopped", "access-unsupported", "share-failed"].includes(found.code))
    return cause as LinkupError;
  const message = text("The session's access was not changed: {0}", textOf(found));
  return new LinkupError("access-failed", message, found.actions, { cause });
}

/** What a failed switch of overrides says. */
export function overridesFailed(cause: unknown): LinkupError {
  const found = problemOf(cause, "override-failed");
  if (["session-stopped", "override-unknown"].includes(found.code)) return cause as LinkupError;
  const message = text("The overrides were not switched: {0}", textOf(found));
  return new LinkupError("override-failed", message, found.actions, { cause });
}
