import { defineConfig } from "vitest/config";
import { longestFirst } from "./support/longest-first.mts";

/** They put a stand-in for cloudflared on the PATH, which is a shell script, and look for processes by their environment. */
const NOT_ON_WINDOWS = ["cli", "cloudflared", "ecosystem", "faults", "manager"].map(
  (folder) => `test/integration/${folder}/**`,
);
const left = process.platform === "win32" ? [...NOT_ON_WINDOWS, "test/compat/our-cli.test.ts"] : [];
if (left.length > 0) console.error(`SKIPPED on Windows: ${left.join(" ")}`);

/** The tier of processes: built bundles as real child processes, real sockets, real workerd. */
export default defineConfig({
  // The extension's own files run beside a stand-in of the editor; test/e2e has the real one.
  resolve: { alias: { vscode: new URL("support/vscode.ts", import.meta.url).pathname } },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/temporary-folder.ts", "test/support/bundles.ts"],
    setupFiles: ["test/support/measured-children.ts"],
    exclude: ["test/{attacks,bench,e2e,world}/**", "**/node_modules/**", ...left],
    // Only what hangs takes so long, on slow machines too.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // By itself a second, which a busy machine takes for anything.
    expect: { poll: { timeout: 30_000 } },
    // They start processes of their own, and wait for more than half of their time: that is what two cores can do.
    maxWorkers: 4,
    sequence: {
      sequencer: longestFirst(
        ...["manager/edge", "manager/tunnel", "cli/life", "cli/sessions", "compat/our-cli", "cli/share"],
        ...[
          "manager/session-targets",
          "cli/mcp",
          "manager/auto",
          "cli/terminal",
          "worker/tunnels",
          "proxy/guard",
        ],
        ...["worker/fuzz", "cli/override", "dns/dns", "action/action", "cli/propagation", "cli/health"],
        ...["proxy/http2-upstream", "manager/manager", "ecosystem/vite", "manager/network"],
      ),
    },
  },
});
