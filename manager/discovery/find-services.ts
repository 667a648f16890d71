/** Finds services in a workspace by reading its package.json, Procfile, Docker Compose, env and similar files. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readRegularFile } from "../../node/regular-file.ts";
import type { FoundService } from "./found-service.ts";
import { isSource, servicesIn } from "./proposals.ts";
import { type IsWorkspace, workspacesOf } from "./workspaces.ts";

export { devScript } from "./dev-script.ts";
export type { FoundService };

/** Folder depth of the search: `packages/team/web` is the deepest kind, but for packages that the workspace names. */
const MAX_DEPTH = 3;
const MAX_WORKSPACE_DEPTH = 6;
const MAX_FOLDERS = 500;
/** Larger files are not written by hand. */
const MAX_BYTES = 256 * 1024;
/** Folders with third-party code, build output and tests. */
const SKIPPED_FOLDERS =
  /^(\..*|node_modules|vendor|bower_components|dist|build|out|target|coverage|tmp|__.*__|tests?|e2e|fixtures|examples|templates?)$/;
const DEVCONTAINER = ".devcontainer";

/** The services of a workspace. Files and folders that cannot be read are ignored. Never rejects. */
export async function findServices(folder: string): Promise<FoundService[]> {
  const files = new Map<string, string>();
  const [packageJson, pnpmWorkspace] = await Promise.all(
    ["package.json", "pnpm-workspace.yaml"].map((name) => contentOf(join(folder, name))),
  );
  const isWorkspace = workspacesOf(packageJson, pnpmWorkspace);
  let folders = [""];
  let left = MAX_FOLDERS;
  for (let depth = 0; depth <= MAX_WORKSPACE_DEPTH && folders.length > 0; depth++) {
    const looked = folders.slice(0, left);
    left -= looked.length;
    const below = await Promise.all(looked.map((at) => look(folder, at, files, isWorkspace)));
    folders = below.flat().filter((path) => depth < MAX_DEPTH || isWorkspace(path));
  }
  return servicesIn(files);
}

/** Reads a folder's source files into `files`; returns its subfolders. */
async function look(
  root: string,
  at: string,
  files: Map<string, string>,
  isWorkspace: IsWorkspace,
): Promise<string[]> {
  const entries = await readdir(join(root, at), { withFileTypes: true }).catch((): Dirent[] => []);
  const path = ({ name }: Dirent) => (at === "" ? name : `${at}/${name}`);
  const sources = entries.filter((entry) => entry.isFile() && isSource(entry.name));
  await Promise.all(
    sources.map(async (entry) => {
      const text = await contentOf(join(root, at, entry.name));
      if (text !== undefined) files.set(path(entry), text);
    }),
  );
  return entries
    .filter((entry) => entry.isDirectory())
    .filter((entry) => !SKIPPED_FOLDERS.test(entry.name) || isWanted(path(entry), isWorkspace))
    .map(path);
}

/** Some folders that are skipped elsewhere, when the workspace names them. */
function isWanted(path: string, isWorkspace: IsWorkspace): boolean {
  return path === DEVCONTAINER || (!/(^|\/)(\.|node_modules)/.test(path) && isWorkspace(path));
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return (await readRegularFile(path, MAX_BYTES, { followLinks: false })).content.toString("utf8");
  } catch {
    // Deleted meanwhile, too large, or not readable.
    return undefined;
  }
}
