/** `linkup keep`: internal. The manager starts it to supervise detached sessions. */
import { keep as keepSessions } from "../../manager/reconcile/keeper.ts";
import { log } from "../../node/log.ts";
import { compileNothing } from "../../node/v8.ts";
import { version } from "../version.ts";

/** `home` is an argument so that the process can be recognised in process lists. */
export async function keep(home: string): Promise<void> {
  compileNothing();
  await keepSessions({
    home,
    dist: __dirname,
    version,
    env: process.env,
    log,
  });
}
