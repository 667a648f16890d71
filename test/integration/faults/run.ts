/**
 * `npm run test:faults [-- PART-OF-A-NAME]`: makes each fault on real processes, and prints what the user sees,
 * how long it takes until it serves again, and whether something is left, doubled or lost.
 */
import { type FaultOutcome, tryFault } from "./fault.ts";
import { parts } from "./parts.ts";
import { surroundings } from "./surroundings.ts";

const wanted = process.argv[2] ?? "";
const faults = [...parts, ...surroundings].filter(({ name }) => name.includes(wanted));
const outcomes: FaultOutcome[] = [];
for (const fault of faults) {
  process.stderr.write(`${fault.name} …\n`);
  outcomes.push(await tryFault(fault));
}

const rows = outcomes.map(({ fault, sees, back, failure }) => [
  failure === undefined ? "holds" : "FAILS",
  fault,
  back === undefined ? "" : `${(back / 1000).toFixed(2)} s`,
  failure === undefined ? "nothing left, doubled or lost" : failure,
  sees,
]);
const heading = ["", "fault", "well again after", "afterwards", "what the user sees"];
const widths = heading.map((_, column) =>
  Math.max(...[heading, ...rows].map((row) => (column === 4 ? 0 : row[column]!.length))),
);
for (const row of [heading, ...rows])
  console.log(
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );

const failed = outcomes.filter(({ failure }) => failure !== undefined).length;
console.log(`\n${outcomes.length - failed} of ${outcomes.length} faults hold.`);
process.exit(failed === 0 && outcomes.length > 0 ? 0 : 1);
