// Installs code-server before the first test, whose time limit is for the test alone.
import { codeServer, skipped } from "./install.ts";

export default async function setup(): Promise<void> {
  if (!skipped()) await codeServer();
}
