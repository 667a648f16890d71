// The tests that drive a real VS Code. Each file has a browser and a server to itself, and waits half of its time:
// two files at once are what two cores can do.
import { defineConfig } from "vitest/config";
import { longestFirst } from "../support/longest-first.mts";
import { root, skipped } from "./install.ts";

export default defineConfig({
  root,
  test: {
    include: skipped() ? [] : ["test/e2e/*.test.ts"],
    passWithNoTests: skipped(),
    maxWorkers: 2,
    sequence: {
      sequencer: longestFirst(
        ...[
          "life",
          "failures",
          "menus",
          "places",
          "requests",
          "trust",
          "views",
          "tunnel",
          "system",
          "beside",
        ],
        ...["language", "worker-deployment", "host", "ui", "operators-page", "agents"],
      ),
    },
    globalSetup: "test/e2e/install.setup.ts",
    setupFiles: ["test/e2e/stop.setup.ts"],
    // A test is a user's whole session with VS Code.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // By itself a second, which a busy machine takes for anything.
    expect: { poll: { timeout: 30_000 } },
  },
});
