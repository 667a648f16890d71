/** Tells of each change of the state file, by whichever process. */
import { type FSWatcher, watch } from "node:fs";
import { makeFolder } from "../../node/folder.ts";

/** Undefined where the system cannot watch: then the next round notices. Close it when it is not needed any more. */
export function watchState(
  home: string,
  onDidChange: () => void,
  log: (line: string) => void,
): FSWatcher | undefined {
  const failed = (error: Error) => log(`Cannot watch ${home}: ${error.message}`);
  try {
    makeFolder(home);
    const files = watch(home, (_, file) => {
      if (file === "state.json") onDidChange();
    });
    return files.on("error", failed);
  } catch (error) {
    failed(error as Error);
    return undefined;
  }
}
