/** Moves services between this machine and their deployed copies: everywhere, or not at all. */
import type { Target } from "../../core/config/parse-config.ts";
import { wantTarget } from "../model/changes.ts";
import { LinkupError, problemOf } from "../model/problem.ts";
import type { Selector } from "../model/records.ts";
import type { SessionView } from "../model/snapshot.ts";
import type { Following } from "../reconcile/following.ts";

/** Resolves when the local server and the Worker both follow; else nothing has changed and it rejects. */
export async function routeServices(
  following: Following,
  selector: Selector,
  services: readonly string[] | "all",
  target: Target,
): Promise<SessionView> {
  const { store, observer } = following;
  return store.reconciling(async () => {
    const { id, before } = await store.change((state) => wantTarget(state, selector, services, target));
    await observer.look();
    try {
      await follow(following, id);
    } catch (error) {
      await rollBack(following, id, before);
      await observer.look();
      throw toggleFailed(services, target, error);
    }
    return observer.session(id);
  });
}

/** The local server and the Worker get this session as it is wanted. */
async function follow({ reconciler }: Following, id: string): Promise<void> {
  const server = await reconciler.localServer.ensure();
  if (!server) throw new LinkupError("local-server-failed", "The local server does not run.");
  await reconciler.life.route(id, server);
}

async function rollBack(following: Following, id: string, targets: Record<string, Target>): Promise<void> {
  await following.store.change(({ sessions }) => {
    for (const record of sessions) if (record.id === id) record.targets = targets;
  });
  try {
    await follow(following, id);
  } catch (error) {
    await following.reconciler.troubled(id, error);
  }
}

function toggleFailed(services: readonly string[] | "all", target: Target, cause: unknown): LinkupError {
  const { message, actions, code } = problemOf(cause, "toggle-failed");
  if (code === "session-stopped") return cause as LinkupError;
  const what = services === "all" ? "The services stay" : `${services.join(", ")} stays`;
  return new LinkupError("toggle-failed", `${what} where it was, not ${target}: ${message}`, actions, {
    cause,
  });
}
