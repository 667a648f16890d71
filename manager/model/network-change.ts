/** Changes of the state after a network change or a sleep. */
import type { State } from "./state.ts";

/** Makes every probe and retry due at once. Pure. */
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
