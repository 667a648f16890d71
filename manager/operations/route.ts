/** Toggles services between local and remote, atomically. */

import type { Target } from "../../core/config/model/config-model.ts";
import { text } from "../../core/text.ts";
import { applyTarget } from "../model/intents.ts";
import { LinkupError, problemOf, textOf } from "../model/problem.ts";
import type { Selector } from "../model/records.ts";
import type { SessionView } from "../model/snapshot.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";

/** Resolves when the local server and the Worker have both confirmed; otherwise rolls back and rejects. */
export async function routeServices(
  loop: ControlLoop,
  selector: Selector,
  services: readonly string[] | "all",
  target: Target,
): Promise<SessionView> {
  const { store, observer } = loop;
  return store.transaction(async () => {
    const { id, before } = await store.change((state) => applyTarget(state, selector, services, target));
    await observer.showState();
    try {
      await follow(loop, id);
    } catch (error) {
      await rollBack(loop, id, before);
      await observer.look();
      throw toggleFailed(services, target, error);
    }
    return observer.session(id);
  });
}

/** Sends the session to the local server and the Worker. */
async function follow({ reconciler }: ControlLoop, id: string): Promise<void> {
  const server = await reconciler.localServer.ensure();
  if (!server) throw new LinkupError("local-server-failed", text("The local server does not run."));
  await reconciler.sessionReconciler.route(id, server);
}

async function rollBack(loop: ControlLoop, id: string, targets: Record<string, Target>): Promise<void> {
  await loop.store.change(({ sessions }) => {
    for (const record of sessions) if (record.id === id) record.targets = targets;
  });
  try {
    await follow(loop, id);
  } catch (error) {
    await loop.reconciler.recordError(id, error);
  }
}

function toggleFailed(services: readonly string[] | "all", target: Target, cause: unknown): LinkupError {
  const found = problemOf(cause, "toggle-failed");
  if (found.code === "session-stopped") return cause as LinkupError;
  const why = textOf(found);
  const message =
    services === "all"
      ? text("The services stay where they were, not {0}: {1}", target, why)
      : text("{0} stays where it was, not {1}: {2}", services.join(", "), target, why);
  return new LinkupError("toggle-failed", message, found.actions, { cause });
}
