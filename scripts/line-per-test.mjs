// A reporter for vitest: one line for each test, named by its titles alone. For suites that are read as a list of claims.
const WORDS = { passed: "holds  ", failed: "FAILS  ", skipped: "SKIPPED" };

export default class LinePerTest {
  onTestCaseResult(test) {
    const { state, note } = test.result();
    const titles = test.fullName.replaceAll(" > ", ": ");
    console.log(`${WORDS[state] ?? state}  ${titles}${note ? ` (${note})` : ""}`);
  }

  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state) => tests.filter((test) => test.result().state === state).length;
    for (const test of tests)
      for (const error of test.result().errors ?? [])
        console.log(`\n${test.fullName}\n${error.stack ?? error.message}`);
    for (const module of modules)
      for (const error of module.errors())
        console.log(`FAILS    ${module.relativeModuleId}: ${error.message}`);
    for (const error of unhandledErrors) console.log(`FAILS    outside of all tests: ${error.message}`);
    console.log(`\n${count("passed")} hold, ${count("failed")} fail, ${count("skipped")} skipped`);
  }
}
