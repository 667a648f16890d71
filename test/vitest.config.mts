import { defineConfig } from "vitest/config";

/** The tier of processes: built bundles as real child processes, real sockets, real workerd. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/temporary-folder.ts", "test/support/bundles.ts"],
    setupFiles: ["test/support/measured-children.ts"],
    exclude: ["test/{attacks,bench,e2e,world}/**", "**/node_modules/**"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // They start processes of their own: more than two files at once would only wait for each other.
    maxWorkers: 2,
  },
});
