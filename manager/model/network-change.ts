/** What is done when the network has changed, or the machine has slept. */
import type { State } from "./state.ts";

/** Nobody waits any longer: what is connected is asked, what failed is tried, a Worker that was not there is called. Pure. */
export function networkChanged(state: State, now: number): void {
  for (const record of state.sessions) {
    if (record.last_error) record.last_error.retry_at = 0;
    const { connector } = record;
    if (!connector) continue;
    connector.changed_at = now;
    connector.probed_at = 0;
    if (connector.retry_at !== null) connector.retry_at = 0;
  }
  for (const left of state.pending_deletions) left.retry_at = 0;
}
