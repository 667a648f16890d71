/** Replacing a file that several windows change. A part of its own: the extension starts without locks. */
import { dirname } from "node:path";
import { writeAtomically } from "../node/atomic-file.ts";
import { makeFolder } from "../node/folder.ts";
import { Lock } from "../node/lock.ts";

/** Replaces the file by the content, which is made while no other window does the same. Rejects with the file system's error. */
export async function replaceFile(path: string, content: () => Promise<string>): Promise<void> {
  makeFolder(dirname(path));
  const lock = new Lock(`${path}.lock`, (cause) => cause as Error);
  await lock.hold(async () => writeAtomically(path, await content()));
}
