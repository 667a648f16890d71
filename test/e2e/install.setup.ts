// Installs code-server before the first test, whose time limit is for the test alone.
import type { TestProject } from "vitest/node";
import { expectEveryCommand, forgetCommands } from "./commands-run.ts";
import { codeServer, skipped } from "./install.ts";

export default async function setup({ vitest }: TestProject): Promise<(() => void) | undefined> {
  if (skipped()) return undefined;
  forgetCommands();
  await codeServer();
  return () => expectEveryCommand(vitest.state.getFiles().length);
}
