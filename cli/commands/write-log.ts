/** `linkup write-log`: what the manager starts beside a cloudflared, to write its log. Not for people. */
import { writeLog } from "../../manager/process/log-writer.ts";
import { UsageError } from "../exit-codes.ts";

export async function writeLogOf({ LINKUP_LOG, LINKUP_SECRETS = "[]" }: NodeJS.ProcessEnv): Promise<void> {
  if (!LINKUP_LOG) throw new UsageError("LINKUP_LOG names no file.");
  await writeLog(process.stdin, LINKUP_LOG, JSON.parse(LINKUP_SECRETS) as string[]);
}
