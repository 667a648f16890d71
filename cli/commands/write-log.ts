/** `linkup write-log`: what the manager starts beside a cloudflared, to write its log. Not for people. */
import { writeLog } from "../../manager/process/log-writer.ts";

export async function writeLogOf(path: string): Promise<void> {
  await writeLog(process.stdin, path, JSON.parse(process.env.LINKUP_SECRETS ?? "[]") as string[]);
}
