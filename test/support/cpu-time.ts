/** How long code computes: what else the machine does meanwhile does not count, so that a bound holds on a busy one. */

/** Milliseconds of this thread's CPU (of the process's, in versions of Node that do not tell a thread's) that `work` takes. */
export function cpuTime(work: () => void): number {
  const usage = () => process.threadCpuUsage?.() ?? process.cpuUsage();
  const before = usage();
  work();
  const after = usage();
  return (after.user + after.system - before.user - before.system) / 1_000;
}
