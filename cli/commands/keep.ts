/** `linkup keep`: what the manager starts to watch over detached sessions. Not for people. */
import { keep as keepSessions } from "../../manager/keeper.ts";
import { stateHome } from "../../manager/state/home.ts";
import { version } from "../context.ts";

export async function keep(): Promise<void> {
  await keepSessions({
    home: stateHome(process.env),
    dist: __dirname,
    version,
    env: process.env,
    log: (line) => console.log(`${new Date().toISOString()} ${line}`),
  });
}
