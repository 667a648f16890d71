import { defineConfig } from "vitest/config";

/** Attacks on the real thing: the built command line, a local server's process, the Worker on workerd; each in a home of its own. */
export default defineConfig({
  test: {
    include: ["test/attacks/**/*.test.ts"],
    globalSetup: ["test/support/temporary-folder.ts", "test/support/bundles.ts"],
    setupFiles: ["test/support/measured-children.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
