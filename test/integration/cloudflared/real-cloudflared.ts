/** The real cloudflared, where there is one: LINKUP_CLOUDFLARED names it, or it is on the PATH. Else a stand-in is used. */
import { accessSync, constants } from "node:fs";
import { onPath } from "../../../manager/components/tunnel/cloudflared-binary.ts";

export const REAL_CLOUDFLARED: string | undefined =
  process.env.LINKUP_CLOUDFLARED || onPath(process.env, process.platform).find(isExecutable);

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
