import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../esbuild.mjs";

/** Before all tests: the bundles as they ship, of the sources as they are. */
export default async function setup(): Promise<void> {
  if (process.env.LINKUP_TEST_DIST) return;
  process.env.LINKUP_TEST_DIST = await build();
}

let built: Promise<string> | undefined;

/** The folder with the bundles. What is no test builds them with the first call. */
export function dist(): Promise<string> {
  built ??= process.env.LINKUP_TEST_DIST ? Promise.resolve(process.env.LINKUP_TEST_DIST) : build();
  return built;
}

async function build(): Promise<string> {
  const folder = join(tmpdir(), `linkup-dist-${process.pid}`);
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await bundle(undefined, folder);
  return folder;
}
