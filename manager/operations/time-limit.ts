/** Time limits of operations, so that nothing waits for a hanging Worker without end. */

/** How long a start or a new session may take: cloudflared alone may need most of a minute. */
export const START_TIMEOUT_MS = 120_000;
/** How long a toggle may take, the wait for another Linkup process included. */
export const TOGGLE_TIMEOUT_MS = 15_000;

/** Gives `work` a signal that aborts with the caller's, or after `ms`; then this rejects with `late`. */
export async function withinTime<T>(
  ms: number,
  signal: AbortSignal | undefined,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(ms);
  try {
    return await work(AbortSignal.any(signal ? [limit, signal] : [limit]));
  } catch (error) {
    throw limit.aborted && !signal?.aborted ? late() : error;
  }
}
