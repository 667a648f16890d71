import { defineConfig } from "vitest/config";

/**
 * Real clients, frameworks and SDKs. What they are built of stands in package.json and requirements.txt here, and is not
 * installed with the project: import it in programs that are started (`apps/*.mjs`), not in the tests, which are type-checked.
 */
export default defineConfig({
  test: {
    include: ["test/world/*.test.ts"],
    globalSetup: ["test/support/temporary-folder.ts", "test/support/bundles.ts"],
    setupFiles: ["test/support/measured-children.ts"],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // They start processes of their own: more than two files at once would only wait for each other.
    maxWorkers: 2,
  },
});
