// All tiers of tests, from the rules to a real VS Code. Stops at nothing: every tier runs, then the sum is told.
//   npm test                         everything
//   npm test -- rules processes      only these tiers
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { runStep } from "./run-step.mjs";

const root = resolve(import.meta.dirname, "..");
const results = join(root, "test-results");
const skipVsCode = process.env.LINKUP_SKIP_E2E === "1";

/** Each tier with its steps: a command, or a vitest configuration whose tests are counted. */
const tiers = {
  check: [
    ["node", "scripts/actionlint.mjs", "--install"],
    ["node", "scripts/check.mjs"],
  ],
  build: [["node", "esbuild.mjs"]],
  rules: [vitest("vitest.config.mts")],
  processes: [vitest("test/vitest.config.mts")],
  attacks: [vitest("test/attacks/vitest.config.mts", "./scripts/line-per-test.mjs", "--passWithNoTests")],
  // The one fault that the processes' tests do not make. All of them: npm run test:faults.
  faults: mayMount()
    ? [["node", "scripts/faults.mjs", "disk full"]]
    : [
        [
          "node",
          "-e",
          "console.error('SKIPPED: the full disk, which needs Linux and root, for a small disk of its own')",
        ],
      ],
  demo: [["node", "scripts/demo.mjs", "--check"]],
  package: [["node", "scripts/package.mjs"]],
  vscode: skipVsCode
    ? [["node", "-e", "console.error('SKIPPED: the tests in VS Code, because LINKUP_SKIP_E2E=1')"]]
    : [
        ["node", "test/e2e/commands-run.ts", "forget"],
        vitest("test/e2e/vitest.config.ts"),
        ["node", "test/e2e/commands-run.ts"],
      ],
};

function vitest(config, reporter = "default", ...options) {
  const report = join(results, `${config.replaceAll(/\W+/g, "-")}.json`);
  return [
    "vitest",
    "run",
    "--config",
    config,
    ...options,
    `--reporter=${reporter}`,
    "--reporter=./scripts/failures.mjs",
    "--reporter=json",
    `--outputFile=${report}`,
  ];
}

const wanted = process.argv.slice(2);
for (const tier of wanted) {
  if (tier in tiers) continue;
  console.error(`There is no tier "${tier}". The tiers are: ${Object.keys(tiers).join(", ")}.`);
  process.exit(2);
}

mkdirSync(results, { recursive: true });
const total = { passed: 0, failed: 0 };
const failedSteps = [];
const errors = [];
/** What needed a second try, with what failed in the first. */
const retried = [];
for (const [tier, steps] of Object.entries(tiers)) {
  if (wanted.length > 0 && !wanted.includes(tier)) continue;
  for (const [command, ...args] of steps) {
    const start = Date.now();
    console.log(`\n=== ${tier}: ${command} ${args.filter((arg) => !arg.startsWith("--reporter")).join(" ")}`);
    const step = runStep(root, command, args);
    total.passed += step.passed;
    total.failed += step.failed;
    if (step.retried) retried.push(step.retried);
    if (!step.ok) {
      failedSteps.push(tier);
      if (step.errors) errors.push(step.errors);
    }
    console.log(
      `=== ${tier}: ${step.ok ? "passed" : "FAILED"} in ${Math.round((Date.now() - start) / 1000)} s`,
    );
  }
}

/** Whether a mount namespace can be made, for a disk that is soon full. */
function mayMount() {
  return (
    process.platform === "linux" &&
    process.getuid() === 0 &&
    spawnSync("unshare", ["-m", "true"]).status === 0
  );
}

if (failedSteps.length > 0) console.log(`\n${errors.join("\n\n")}\nFailed: ${failedSteps.join(", ")}`);
for (const what of retried) console.log(`\nNEEDED A SECOND TRY: ${what}`);
console.log(
  `\n${total.passed} passed, ${total.failed} failed${retried.length > 0 ? ", some in a second try only (see above)" : ""}`,
);
process.exitCode = failedSteps.length === 0 ? 0 : 1;
