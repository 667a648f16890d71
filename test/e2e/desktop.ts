// The suite of `suite/` in a desktop VS Code, which is downloaded: where there is the Internet and a display.
//   node test/e2e/desktop.ts [--version 1.101.0]      build the extension first
import { cpSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runTests } from "@vscode/test-electron";
import { bundle } from "./host.ts";
import { root } from "./install.ts";

const { values } = parseArgs({ options: { version: { type: "string", default: "stable" } } });
const folder = mkdtempSync(join(tmpdir(), "linkup-desktop-"));
const workspace = join(folder, "workspace");
cpSync(join(import.meta.dirname, "suite", "workspace"), workspace, { recursive: true });
const tests = await bundle(join(import.meta.dirname, "suite"));
try {
  process.exitCode = await runTests({
    version: values.version,
    extensionDevelopmentPath: root,
    extensionTestsPath: join(tests, "index.js"),
    extensionTestsEnv: { LINKUP_HOME: join(folder, "home") },
    launchArgs: [
      workspace,
      "--user-data-dir",
      join(folder, "user"),
      "--disable-extensions",
      "--disable-workspace-trust",
    ],
  });
} finally {
  await rm(tests, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
}
