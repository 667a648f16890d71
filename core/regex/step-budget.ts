/** The cost limit of one request's searches, for hostile patterns and hostile paths alike. */

/** Most steps of Linkup's own engine in one request, all patterns together; as many again are granted to the native engine. */
export const MAX_STEPS = 2_000_000;

/** What is left of it. Every search of one request shares a budget; when it is used up, every further search gives up. */
export class StepBudget {
  /** Steps of Linkup's own engine. */
  steps = MAX_STEPS;
  /** Steps of the native engine, which cannot count: each search is charged the most that it could take. */
  nativeSteps = MAX_STEPS;

  /** False when they are more than what is left; then nothing is charged. */
  chargeNative(steps: number): boolean {
    if (steps > this.nativeSteps) return false;
    this.nativeSteps -= steps;
    return true;
  }
}
