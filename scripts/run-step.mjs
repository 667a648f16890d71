// One step of `npm test`. Where vitest tells of it, its tests are counted, and a file that failed has a second try, alone.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { FAILURES, OUTSIDE } from "./failures.mjs";

/** More files than that do not fail by chance. */
const MOST_FILES = 3;

/**
 * Runs a command to its end. Real processes, sockets and browsers stumble now and then on a busy machine: what fails twice,
 * fails; what fails once is `retried`: the files' names with what failed in them. `errors` is what failed in the end.
 * @returns {{ ok: boolean, passed: number, failed: number, retried?: string, errors?: string }}
 */
export function runStep(root, command, args) {
  const option = "--outputFile=";
  const report = args.at(-1)?.startsWith(option)
    ? resolve(root, args.at(-1).slice(option.length))
    : undefined;
  const failures = join(root, FAILURES);

  let ok = run(args);
  let told = results();
  if (ok) return { ok, ...counts() };
  const errors = failed();
  const files = told.filter(({ status }) => status !== "passed").map(({ name }) => relative(root, name));
  // An error outside of all tests belongs to no file that could have a second try.
  if (
    files.length === 0 ||
    files.length > MOST_FILES ||
    errors?.split("\n").some((line) => line.startsWith(OUTSIDE))
  )
    return { ok, ...counts(), errors };
  const names = files.map((file) => file.replaceAll("\\", "/"));
  console.log(`=== once more, alone: ${names.join(" ")}`);
  const beside = told.filter(({ status }) => status === "passed");
  ok = run([...args, "--no-file-parallelism", ...names]);
  told = [...beside, ...results()];
  return {
    ok,
    ...counts(),
    retried: `${names.join(" ")}\n\n${errors}`,
    errors: ok ? undefined : failed(),
  };

  function run(argv) {
    rmSync(failures, { force: true });
    if (report) rmSync(report, { force: true });
    const shell = process.platform === "win32";
    return spawnSync(command, argv, { cwd: root, stdio: "inherit", shell }).status === 0;
  }

  /** What the report says of each file. */
  function results() {
    return report && existsSync(report) ? JSON.parse(readFileSync(report, "utf8")).testResults : [];
  }

  /** What the reporter of failures wrote down. */
  function failed() {
    return existsSync(failures) ? readFileSync(failures, "utf8").trimEnd() : undefined;
  }

  /** The tests, or the step itself where none are told. */
  function counts() {
    const tests = told.flatMap(({ assertionResults }) => assertionResults);
    const count = (wanted) => tests.filter(({ status }) => status === wanted).length;
    const passed = told.length === 0 && ok ? 1 : count("passed");
    return { passed, failed: ok ? count("failed") : Math.max(1, count("failed")) };
  }
}
