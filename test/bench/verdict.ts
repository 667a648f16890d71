/**
 * What a benchmark says about its targets. One that is missed is a finding and no failure of the command: how fast something is
 * depends on the machine as well. With `BENCH_STRICT=1` the command exits 1 then.
 */
let missed = 0;

process.once("exit", (code) => {
  if (missed === 0 || code !== 0) return;
  console.log(`\n${missed === 1 ? "One target is" : `${missed} targets are`} missed.`);
  if (process.env.BENCH_STRICT === "1") process.exitCode = 1;
});

/** The word for the table; counts what is missed. */
export function verdict(isMet: boolean): "met" | "MISSED" {
  if (!isMet) missed++;
  return isMet ? "met" : "MISSED";
}
