/** How often a supervisor looks: seldom while all is well, since whatever ends or changes wakes it. Pure. */
import { isDesired, isPresent } from "./records.ts";
import type { SessionRecord, State } from "./state.ts";

/** Interval between rounds while something is under way or out of order. */
export const BUSY_INTERVAL_MS = 1_000;
/** Interval at rest: for what no event tells, such as a network that changed or a process that hangs. */
export const IDLE_INTERVAL_MS = 5_000;
/** Interval at rest while somebody may route by an invite: the owner's machine asks the Worker for it. */
const INVITED_MS = 2_000;

/** Until the next round. `now`: milliseconds since the epoch. */
export function intervalMs(state: State, now: number): number {
  if (!isAtRest(state)) return BUSY_INTERVAL_MS;
  const isInvited = state.sessions.some((record) => isPresent(record) && (record.may_route_until ?? 0) > now);
  return isInvited ? INVITED_MS : IDLE_INTERVAL_MS;
}

/** True when a round has nothing to do soon: everything is as it should be, and nothing waits for its next try. */
export function isAtRest(state: State): boolean {
  const { sessions, local_server, local_dns, pending_deletions } = state;
  return (
    local_server.problem === null &&
    local_dns.problem === null &&
    pending_deletions.length === 0 &&
    sessions.filter(isPresent).every(isSettled)
  );
}

function isSettled(record: SessionRecord): boolean {
  const { last_error, confirmed, connector } = record;
  const connected =
    connector === null ||
    (connector.ready && connector.reached && connector.lost === 0 && connector.problem === null);
  return isDesired(record) && last_error === null && confirmed !== null && connected;
}
