/** Paths in settings: VS Code expands neither its variables nor `~` there. */
import { homedir } from "node:os";
import { expandTilde } from "../node/home.ts";

/** `${userHome}`, `~` and, with a folder, `${workspaceFolder}`; what else is there stays as it is. */
export function expandPath(path: string, workspaceFolder?: string): string {
  return expandTilde(path.trim())
    .replaceAll("${userHome}", () => homedir())
    .replaceAll("${workspaceFolder}", (variable) => workspaceFolder ?? variable);
}
