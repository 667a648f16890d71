/** How long one reading of the system clock is used, in milliseconds: the two clocks drift apart much more slowly. */
const READING_TTL_MS = 100;

let readAt = Number.NEGATIVE_INFINITY;
let time = 0;

/**
 * Milliseconds since the epoch, at `now` of the monotonic clock. That clock was read already, and reading another one for
 * each exchange costs as much again (measured).
 */
export function timeOfDay(now: number): number {
  if (now - readAt > READING_TTL_MS) {
    readAt = now;
    time = Date.now();
  }
  return Math.floor(time + now - readAt);
}
