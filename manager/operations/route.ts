/** Toggles services between local and remote, atomically. */

import type { Target } from "../../core/config/model/config-model.ts";
import { text } from "../../core/text.ts";
import { applyTarget } from "../model/intents.ts";
import { LinkupError, problemOf, textOf } from "../model/problem.ts";
import type { Selector } from "../model/records.ts";
import type { SessionView } from "../model/snapshot.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";

/** What to switch. */
export interface Toggle {
  selector: Selector;
  services: readonly string[] | "all";
  target: Target;
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
  const { store, observer, reconciler } = loop;
  return store.transaction(async () => {
    const { id, before } = await store.change((state) => applyTarget(state, selector, services, target));
    const cancel = () => reconciler.sessionReconciler.cancel(id, signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    await observer.showState();
    try {
      await follow(loop, id, signal);
    } catch (error) {
      await rollBack(loop, id, before, error);
      await observer.look();
      signal.throwIfAborted();
      throw toggleFailed(services, target, error);
    } finally {
      signal.removeEventListener("abort", cancel);
    }
    return observer.session(id);
  }, signal);
}

/** Sends the session to the local server and the Worker. */
async function follow({ reconciler }: ControlLoop, id: string, signal?: AbortSignal): Promise<void> {
  const server = await reconciler.localServer.ensure();
  if (!server) throw new LinkupError("local-server-failed", text("The local server does not run."));
  signal?.throwIfAborted();
  await reconciler.sessionReconciler.route(id, server);
}

/** A Worker that did not answer is told by the control loop, which tries again: the user waits for it once. */
async function rollBack(
  loop: ControlLoop,
  id: string,
  targets: Record<string, Target>,
  cause: unknown,
): Promise<void> {
  const { reconciler, store } = loop;
  await store.change(({ sessions }) => {
    for (const record of sessions) if (record.id === id) record.targets = targets;
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
      ? text("The services stay where they were, not {0}: {1}", target, why)
      : text("{0} stays where it was, not {1}: {2}", services.join(", "), target, why);
  return new LinkupError("toggle-failed", message, found.actions, { cause });
}
