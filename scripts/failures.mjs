// A reporter for vitest: adds each failed test with its errors, and each error outside of all tests, to
// test-results/failures.txt, for the end of `npm test`. Also names the tests that were skipped, and lets a run
// fail whose teardown failed: vitest prints such errors ("error during close") and exits with 0.
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { stripVTControlCharacters } from "node:util";

export const FAILURES = "test-results/failures.txt";
/** Where an error was that is no test's. */
export const OUTSIDE = "outside of all tests";

export default class Failures {
  onInit({ logger }) {
    const print = logger.error.bind(logger);
    logger.error = (...args) => {
      print(...args);
      const error = args.find((arg) => arg instanceof Error);
      if (!/^error during (close|teardown)/i.test(String(args[0]))) return;
      add(`${OUTSIDE}, after the last`, error ?? { name: "Error", message: args.join(" ") });
      process.exitCode = 1;
    };
  }

  onTestRunEnd(modules, unhandledErrors) {
    for (const module of modules) {
      for (const error of module.errors()) add(module.relativeModuleId, error);
      for (const suite of module.children.allSuites())
        for (const error of suite.errors()) add(`${module.relativeModuleId} > ${suite.fullName}`, error);
      for (const test of module.children.allTests("failed"))
        for (const error of test.result().errors) add(`${module.relativeModuleId} > ${test.fullName}`, error);
    }
    for (const error of unhandledErrors) add(OUTSIDE, error);
    // What this system cannot run is not passed over in silence.
    for (const module of modules)
      for (const test of module.children.allTests("skipped"))
        console.log(`SKIPPED: ${module.relativeModuleId} > ${test.fullName}`);
  }
}

function add(where, { name, message, diff = "", stack = "" }) {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line) && !line.includes("/node_modules/"));
  const lines = [where, `  ${name}: ${message}`, stripVTControlCharacters(diff), ...frames.slice(0, 8)];
  mkdirSync(dirname(FAILURES), { recursive: true });
  appendFileSync(FAILURES, `${lines.filter(Boolean).join("\n")}\n\n`);
}
