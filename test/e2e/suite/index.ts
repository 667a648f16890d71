// Runs inside VS Code's extension host: hands the bundled test files beside it to Mocha.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { format } from "node:util";
import mocha from "mocha";
import { PREFIX } from "./prefix.ts";

/** An ES module that is required: some hosts give what it exports by default, others all that it exports. */
const Mocha = (mocha as typeof mocha & { default?: typeof mocha }).default ?? mocha;

/** Called by VS Code, which ends the host with exit code 0 when this resolves and 1 when it rejects. */
export async function run(): Promise<void> {
  // VS Code does not let anyone replace `console.log` itself.
  const say = (...args: unknown[]) => console.log(PREFIX + format(...args));
  Mocha.reporters.Base.consoleLog = say;
  const suite = new Mocha({ ui: "bdd", timeout: 60_000, color: false, reporter: "spec" });
  const files = readdirSync(__dirname).filter((file) => file.endsWith(".test.js"));
  for (const file of files) suite.addFile(join(__dirname, file));
  const { tests, failures } = await new Promise<{ tests: number; failures: number }>((done, fail) => {
    try {
      const runner = suite.run((failures) => done({ tests: runner.stats?.tests ?? 0, failures }));
    } catch (error) {
      say(error);
      fail(error);
    }
  });
  if (tests === 0) say(`No test was found in ${__dirname}.`);
  if (tests === 0 || failures > 0) throw new Error(`${failures} of ${tests} tests failed.`);
}
