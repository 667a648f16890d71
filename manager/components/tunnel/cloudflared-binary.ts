/** Finds cloudflared. */

import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { posix, resolve, win32 } from "node:path";
import { type Text, text } from "../../../core/text.ts";
import { expandTilde } from "../../../node/home.ts";
import { LinkupError } from "../../model/problem.ts";
import { downloadPath, installCommand } from "./releases.ts";

/** The path in CLOUDFLARED_PATH (also set by the editor's setting), else the first on the PATH, else the downloaded one. */
export async function findCloudflared(env: NodeJS.ProcessEnv, home: string): Promise<string> {
  const named = namedCloudflared(env);
  if (named) {
    if (await isExecutable(named)) return named;
    throw missing(text("{0}, from CLOUDFLARED_PATH, is not an executable file", named));
  }
  for (const path of [...onPath(env, process.platform), downloadPath(home, process.platform)]) {
    if (await isExecutable(path)) return resolve(path);
  }
  throw missing(text("it is not on the PATH, and CLOUDFLARED_PATH is not set"));
}

/** What CLOUDFLARED_PATH names, as a path that is the same for processes in other folders. */
export function namedCloudflared({ CLOUDFLARED_PATH: path }: NodeJS.ProcessEnv): string | undefined {
  return path ? resolve(expandTilde(path)) : undefined;
}

/** Candidate paths of cloudflared on the PATH, which Windows spells `Path`. Pure. */
export function onPath(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  const { delimiter, join } = platform === "win32" ? win32 : posix;
  const name = platform === "win32" ? "cloudflared.exe" : "cloudflared";
  const isPath = (variable: string) => (platform === "win32" ? variable.toUpperCase() : variable) === "PATH";
  const value = Object.entries(env).find(([variable]) => isPath(variable))?.[1] ?? "";
  // Windows allows quotes around an entry.
  const folders = value.split(delimiter).map((folder) => folder.replace(/^"(.*)"$/, "$1"));
  return folders.filter((folder) => folder !== "").map((folder) => join(folder, name));
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missing(why: Text): LinkupError {
  const install = installCommand(process.platform, process.arch) ?? "see https://pkg.cloudflare.com/";
  return new LinkupError(
    "cloudflared-missing",
    text(
      "The tunnel needs Cloudflare's program cloudflared, and {0}. Install it, or name it: in the setting linkup.cloudflaredPath, or in CLOUDFLARED_PATH.",
      why,
    ),
    [
      { command: "installCloudflared", title: "Install cloudflared", terminal: install },
      { command: "startIsolated", title: "Start Isolated", terminal: "linkup start --isolated" },
    ],
  );
}
