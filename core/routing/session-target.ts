/** Services of one session that are served where another session has them. */
import type { Routing, Service } from "../session/session-document.ts";
import type { Fallback } from "./fallback.ts";

/**
 * On requests through the tunnel of a session that serves another's: its name. The request itself belongs to the other one,
 * and so does what its headers say; only the service is this one's.
 */
export const TARGET_SESSION_HEADER = "linkup-target-session";

/** Sessions between the one that is asked and the one that has the copy. */
const MAX_STEPS = 8;

/** The part of a session that resolving `session:NAME` targets needs. */
export interface TargetedSession {
  routing: Pick<Routing, "services" | "share_targets">;
}

export type ResolvedTarget<S extends TargetedSession> =
  | { name: string; session: S; service: Service }
  /** Why the session's own location counts. */
  | { fallback: Fallback };

/**
 * Follows a service (`services[].session`) of the session `from` to the session that has it. Rejects only as `lookUp` does,
 * which gives a session by its name, or null.
 */
export async function followSession<S extends TargetedSession>(
  from: string,
  { name: wanted, session: first }: Pick<Service, "name" | "session">,
  lookUp: (name: string) => S | null | Promise<S | null>,
): Promise<ResolvedTarget<S>> {
  const seen = new Set([from]);
  let name = first;
  while (name !== undefined) {
    if (seen.has(name) || seen.size > MAX_STEPS) return { fallback: "session-loop" };
    seen.add(name);
    const found = lookUp(name);
    const session = found instanceof Promise ? await found : found;
    if (session === null) return { fallback: "session-gone" };
    if (session.routing.share_targets !== true) return { fallback: "session-not-shared" };
    const service = session.routing.services.find((service) => service.name === wanted);
    if (!service) return { fallback: "service-missing" };
    if (service.session === undefined) return { name, session, service };
    name = service.session;
  }
  return { fallback: "session-gone" };
}
