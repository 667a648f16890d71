import { join } from "node:path";
import { expect, test } from "vitest";
import { runSuite } from "./host.ts";
import { root } from "./install.ts";

const suite = join(import.meta.dirname, "suite");
const TIMEOUT_MS = 300_000;

test("the suite in the extension host: each of its tests is printed", {
  timeout: TIMEOUT_MS + 30_000,
}, async () => {
  const options = { extension: root, suite, workspace: join(suite, "workspace"), timeout: TIMEOUT_MS };
  expect(await runSuite(options)).toBe(0);
});
