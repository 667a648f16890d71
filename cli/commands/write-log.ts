/** `linkup write-log`: internal. The manager starts it beside each cloudflared to write its log. */
import { writeLog } from "../../manager/process/log-writer.ts";
import { UsageError } from "../exit-codes.ts";

export async function writeLogOf({ LINKUP_LOG, LINKUP_SECRETS = "[]" }: NodeJS.ProcessEnv): Promise<void> {
  if (!LINKUP_LOG) throw new UsageError("LINKUP_LOG is not set.");
  await writeLog(process.stdin, LINKUP_LOG, JSON.parse(LINKUP_SECRETS) as string[]);
}
