import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** A project of tests of rules. */
const rules = (name: string, folders: string[], isolate: boolean) => ({
  extends: true as const,
  test: { name, isolate, include: folders.map((folder) => `${folder}/**/*.test.ts`) },
});

/** The tier of rules: tests that stand beside the code they test. The slower tiers have their own configurations under test/. */
export default defineConfig({
  // The extension's own files run beside a stand-in of the editor; test/e2e has the real one.
  resolve: { alias: { vscode: new URL("test/support/vscode.ts", import.meta.url).pathname } },
  test: {
    globalSetup: ["test/support/temporary-folder.ts"],
    // Only what hangs takes so long, on slow machines too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // By itself a second, which a busy machine takes for anything.
    expect: { poll: { timeout: 30_000 } },
    // By itself one fewer, which is one on two cores.
    maxWorkers: availableParallelism(),
    projects: [
      // Each file has the stand-in of the editor to itself.
      rules("extension", ["extension"], true),
      // Nothing here is kept from one file to the next: a process that loads what they share once takes half of the time.
      rules(
        "rules",
        ["core", "node", "worker", "local-server", "infra", "manager", "agent-tools", "cli"],
        false,
      ),
    ],
  },
});
