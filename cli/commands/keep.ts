/** `linkup keep`: what the manager starts to watch over detached sessions. Not for people. */
import { keep as keepSessions } from "../../manager/reconcile/keeper.ts";
import { log } from "../../node/log.ts";
import { version } from "../context.ts";

/** `home` stands in the arguments so that the process can be recognised. */
export async function keep(home: string): Promise<void> {
  await keepSessions({
    home,
    dist: __dirname,
    version,
    env: process.env,
    log,
  });
}
