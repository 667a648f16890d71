// The tests that drive a real VS Code: one at a time, for each has a browser and a server to itself.
import { defineConfig } from "vitest/config";
import { root, skipped } from "./install.ts";

export default defineConfig({
  root,
  test: {
    include: skipped() ? [] : ["test/e2e/*.test.ts"],
    passWithNoTests: skipped(),
    fileParallelism: false,
    sequence: { concurrent: false },
    globalSetup: "test/e2e/install.setup.ts",
    // A test is a user's whole session with VS Code.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
