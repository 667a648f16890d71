// All tests in a real VS Code: the window driven by a browser, then the suite inside the extension host.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const here = import.meta.dirname;
const vitest = join(here, "..", "..", "node_modules", "vitest", "vitest.mjs");
const steps = [
  [vitest, "run", "--config", join(here, "vitest.config.ts"), ...process.argv.slice(2)],
  [join(here, "host.ts")],
];
const failed = steps.filter((step) => spawnSync(process.execPath, step, { stdio: "inherit" }).status !== 0);
process.exitCode = failed.length === 0 ? 0 : 1;
