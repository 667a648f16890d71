import { defineConfig } from "vitest/config";

/** The tier of rules: tests that stand beside the code they test. The slower tiers have their own configurations under test/. */
export default defineConfig({
  // The extension's own files run beside a stand-in of the editor; test/e2e has the real one.
  resolve: { alias: { vscode: new URL("test/support/vscode.ts", import.meta.url).pathname } },
  test: {
    include: ["{core,node,worker,local-server,infra,manager,agent-tools,extension,cli}/**/*.test.ts"],
    globalSetup: ["test/support/temporary-folder.ts"],
    // Only what hangs takes so long, on slow machines too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // By itself a second, which a busy machine takes for anything.
    expect: { poll: { timeout: 30_000 } },
  },
});
