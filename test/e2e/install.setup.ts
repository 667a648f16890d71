// Installs code-server before the first test, whose time limit is for the test alone.
import { codeServer, skipped } from "./install.ts";
import { installFolder } from "./server.ts";

export default async function setup(): Promise<void> {
  if (skipped()) return;
  await codeServer();
  // All files share what one of them has installed.
  process.env.LINKUP_TEST_INSTALLED = await installFolder();
}
