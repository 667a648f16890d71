/** The command that runs the service of a folder while it is developed, from its package.json. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { readRegularFile } from "../../node/regular-file.ts";
import { SCRIPTS } from "./sources.ts";

const MAX_BYTES = 256 * 1024;
/** Lock files, and who writes them; npm otherwise. */
const PACKAGE_MANAGERS = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
] as const;

/** `pnpm run dev`; undefined where there is no such script. `folder`: absolute. Never rejects. */
export async function devScript(folder: string): Promise<string | undefined> {
  const script = SCRIPTS[(await scriptsOf(folder)).findIndex(Boolean)];
  return script && `${packageManagerOf(folder)} run ${script}`;
}

/** Which of SCRIPTS the package has, in their order. */
async function scriptsOf(folder: string): Promise<boolean[]> {
  try {
    const file = await readRegularFile(join(folder, "package.json"), MAX_BYTES, { followLinks: false });
    const { scripts } = JSON.parse(file.content.toString("utf8")) as { scripts?: Record<string, unknown> };
    return SCRIPTS.map((script) => typeof scripts?.[script] === "string");
  } catch {
    // It is missing, or not JSON.
    return [];
  }
}

/** By the nearest lock file: that of a monorepo lies above its packages. */
function packageManagerOf(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    const found = PACKAGE_MANAGERS.find(([file]) => existsSync(join(at, file)));
    if (found) return found[1];
    if (existsSync(join(at, ".git")) || dirname(at) === at) return "npm";
  }
}
