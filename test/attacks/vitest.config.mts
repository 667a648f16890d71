import { defineConfig } from "vitest/config";

/** Attacks on the real thing: the built command line, a local server's process, the Worker on workerd; each in a home of its own. */
export default defineConfig({
  test: {
    include: ["test/attacks/**/*.test.ts"],
    globalSetup: ["test/support/temporary-folder.ts", "test/support/bundles.ts"],
    setupFiles: ["test/support/measured-children.ts"],
    // Only what hangs takes so long, on slow machines too.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // By itself a second, which a busy machine takes for anything.
    expect: { poll: { timeout: 30_000 } },
    // They wait for a third of their time with three.
    maxWorkers: 4,
  },
});
