/** How long one look at the clock is good for, in milliseconds: the two clocks drift apart much slower. */
const GOOD_MS = 100;

let looked = Number.NEGATIVE_INFINITY;
let time = 0;

/**
 * Milliseconds since the epoch, `now` milliseconds of the monotonic clock: that clock has been asked already, and to ask
 * another one for every exchange costs as much again (measured).
 */
export function timeOfDay(now: number): number {
  if (now - looked > GOOD_MS) {
    looked = now;
    time = Date.now();
  }
  return Math.floor(time + now - looked);
}
