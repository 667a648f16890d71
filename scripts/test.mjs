// All tiers of tests, from the rules to a real VS Code. Stops at nothing: every tier runs, then the sum is told.
//   npm test                         everything
//   npm test -- rules processes      only these tiers
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { FAILURES } from "./failures.mjs";

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
        ["node", "test/e2e/host.ts"],
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

const failures = join(root, FAILURES);
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
    const report = args.at(-1).startsWith("--outputFile=")
      ? args.at(-1).slice("--outputFile=".length)
      : undefined;
    if (report) rmSync(report, { force: true });
    let status = run(command, args);
    if (status !== 0 && tier === "vscode" && report) {
      // A browser that drives an editor stumbles now and then. What fails twice, fails; what fails once is told at the end.
      const files = failedFiles(report);
      if (files.length > 0) {
        console.log(`=== ${tier}: once more: ${files.join(" ")}`);
        if (existsSync(failures))
          retried.push(`${files.join(" ")}\n\n${readFileSync(failures, "utf8").trimEnd()}`);
        total.passed += passedBeside(report);
        rmSync(report, { force: true });
        status = run(command, [...args, ...files]);
      }
    }
    count(status === 0, report);
    if (status !== 0) {
      failedSteps.push(tier);
      if (existsSync(failures)) errors.push(readFileSync(failures, "utf8").trimEnd());
    }
    console.log(
      `=== ${tier}: ${status === 0 ? "passed" : "FAILED"} in ${Math.round((Date.now() - start) / 1000)} s`,
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

function run(command, args) {
  rmSync(failures, { force: true });
  return spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" })
    .status;
}

/** The test files of a report that did not pass. */
function failedFiles(report) {
  if (!existsSync(report)) return [];
  const { testResults } = JSON.parse(readFileSync(report, "utf8"));
  return testResults
    .filter(({ status }) => status !== "passed")
    .map(({ name }) => relative(root, name).replaceAll("\\", "/"));
}

/** How many tests of a report passed in the files that are not run again. */
function passedBeside(report) {
  const { testResults } = JSON.parse(readFileSync(report, "utf8"));
  return testResults
    .filter(({ status }) => status === "passed")
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "passed").length;
}

/** Counts the tests of a report, or the step itself where it has none. */
function count(passed, report) {
  const { numPassedTests = 0, numFailedTests = 0 } =
    report && existsSync(report)
      ? JSON.parse(readFileSync(report, "utf8"))
      : { numPassedTests: passed ? 1 : 0 };
  total.passed += numPassedTests;
  total.failed += passed ? numFailedTests : Math.max(1, numFailedTests);
}

if (failedSteps.length > 0) console.log(`\n${errors.join("\n\n")}\nFailed: ${failedSteps.join(", ")}`);
for (const files of retried) console.log(`\nNEEDED A SECOND TRY: ${files}`);
console.log(
  `\n${total.passed} passed, ${total.failed} failed${retried.length > 0 ? ", some in a second try only (see above)" : ""}`,
);
process.exitCode = failedSteps.length === 0 ? 0 : 1;
