// The faults that Linkup has to live with, each made on real processes; prints a table, exits 0 when each holds.
//   npm run test:faults [-- PART OF A FAULT'S NAME]
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const argv = [
  "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
  "test/integration/faults/run.ts",
  ...process.argv.slice(2),
];
const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
