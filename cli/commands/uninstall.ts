/** `linkup uninstall`: leaves the machine as it was. */
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { proposeUninstall, uninstallLocalDns } from "../../manager/components/local-dns/local-dns.ts";
import { stateHome } from "../../node/home.ts";
import { confirmed } from "../confirm.ts";
import { newManager } from "../context.ts";
import { print, printJson, printNote } from "../print/output.ts";

/** The files Linkup keeps in its folder. Anything else there is not ours and stays. */
const OURS =
  /^(state\.json.*|state\.lock.*|reconcile\.lock.*|env-files\.json|browser-port|local-server\.sock.*|logs|tunnels|bin|certificates|staged)$/;

export async function uninstall(options: { yes?: boolean; json?: boolean }): Promise<void> {
  const home = stateHome(process.env);
  if (!options.yes && !(await confirmed(`Stop all sessions and remove Linkup's state in ${home}?`))) return;
  const manager = newManager({ keep: false });
  await manager.stop("all");
  const unrestored = await manager.envFilesLeft();
  for (const path of unrestored)
    printNote(
      `Note: ${path} could not be written and still has a session's variables. ${join(home, "env-files.json")}, which lists them, stays.\n`,
    );
  // Changes outside this folder, by the commands that `linkup local-dns uninstall` shows.
  if ((await proposeUninstall({ home })).length > 0) {
    await uninstallLocalDns({ home });
    await manager.restart("local-dns");
  }
  const names = await readdir(home).catch(() => []);
  const isOurs = (name: string) => OURS.test(name) && !(name === "env-files.json" && unrestored.length > 0);
  const ours = names.filter(isOurs);
  for (const name of ours) await rm(join(home, name), { recursive: true, force: true });
  const left = names.filter((name) => !isOurs(name));
  if (names.length > 0 && left.length === 0) await rmdir(home);
  if (options.json) printJson({ home, removed: ours, left });
  else if (left.length > 0)
    print(
      `Removed. These files in ${home} are not Linkup's, or are undone by linkup local-dns uninstall, and stay: ${left.join(", ")}\n`,
    );
  else print("Removed.\n");
}
