import { defineConfig } from "vitest/config";

/** The tier of rules: tests that stand beside the code they test. The slower tiers have their own configurations under test/. */
export default defineConfig({
  test: {
    include: ["{core,node,worker,local-server,infra,manager,agent-tools,extension,cli}/**/*.test.ts"],
    globalSetup: ["test/support/temporary-folder.ts"],
  },
});
