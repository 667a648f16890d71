/** What `npm test` does with tests that fail once, twice, or too many at a time. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
const PASSES = "test('passes', () => {});";
/** Fails in its first run. */
const STUMBLES = `
test("stumbles", () => {
  const seen = existsSync("stumbled");
  writeFileSync("stumbled", "");
  expect(seen).toBe(true);
});`;

/** What a step says that runs these test files, by their names without `.test.mjs`. */
function run(files: Record<string, string>) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "second-try-")));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  mkdirSync(join(folder, "scripts"));
  const imports = `import { existsSync, writeFileSync } from "node:fs";\nimport { expect, test } from "vitest";`;
  for (const [name, body] of Object.entries(files))
    writeFileSync(join(folder, `${name}.test.mjs`), `${imports}\n${body}`);
  const argv = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--reporter=json"];
  argv.push(`--reporter=${join(root, "scripts/failures.mjs")}`, "--outputFile=report.json");
  const step = `import { runStep } from ${JSON.stringify(pathToFileURL(join(root, "scripts/run-step.mjs")))};
    const step = runStep(${JSON.stringify(folder)}, process.execPath, ${JSON.stringify(argv)});
    console.log("\\nSTEP" + JSON.stringify(step));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", step], { encoding: "utf8" });
  return {
    ...JSON.parse(stdout.split("\nSTEP")[1]!),
    again: /^=== once more, alone: (.*)$/m.exec(stdout)?.[1],
  };
}

test("a file that failed has a second try, and is named with what failed", () => {
  const step = run({ good: `${PASSES}\ntest("too", () => {});`, stumbling: `${PASSES}\n${STUMBLES}` });
  expect(step).toMatchObject({ ok: true, passed: 4, failed: 0, again: "stumbling.test.mjs" });
  expect(step.errors).toBeUndefined();
  expect(step.retried).toMatch(
    /^stumbling\.test\.mjs\n\nstumbling\.test\.mjs > stumbles\n {2}AssertionError: /,
  );
});

test("what fails twice, fails", () => {
  const step = run({ good: PASSES, bad: "test('fails', () => expect(1).toBe(2));" });
  expect(step).toMatchObject({ ok: false, passed: 1, failed: 1, again: "bad.test.mjs" });
  expect(step.errors).toContain("expected 1 to be 2");
});

test("many files do not fail by chance", () => {
  const step = run({
    good: PASSES,
    ...Object.fromEntries(
      ["a", "b", "c", "d"].map((name) => [
        name,
        STUMBLES.replace('"stumbled"', `"${name}"`).replace('"stumbled"', `"${name}"`),
      ]),
    ),
  });
  expect(step).toMatchObject({ ok: false, passed: 1, failed: 4 });
  expect(step.again).toBeUndefined();
});

test("an error outside of all tests is no file's, and has no second try", () => {
  const later = "test('leaves something', () => void Promise.reject(new Error('left behind')));";
  const step = run({ good: `${later}\n${STUMBLES}` });
  expect(step).toMatchObject({ ok: false, passed: 1, failed: 1 });
  expect(step.errors).toContain("left behind");
  expect(step.again).toBeUndefined();
});
