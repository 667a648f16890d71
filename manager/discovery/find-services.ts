/** Finds services in a workspace by reading its package.json, Procfile, Docker Compose and env files. */
import type { Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FoundService } from "./found-service.ts";
import { isSource, servicesIn } from "./proposals.ts";

export type { FoundService };

/** Folder depth of the search: `packages/team/web` is the deepest kind. */
const MAX_DEPTH = 3;
const MAX_FOLDERS = 500;
/** Larger files are not written by hand. */
const MAX_BYTES = 256 * 1024;
/** Folders with third-party code, build output and tests. */
const SKIPPED_FOLDERS =
  /^(\..*|node_modules|vendor|bower_components|dist|build|out|target|coverage|tmp|__.*__|tests?|e2e|fixtures|examples)$/;

/**
 * The services of a workspace. Files and folders that cannot be read are ignored. Never rejects.
 */
export async function findServices(folder: string): Promise<FoundService[]> {
  const files = new Map<string, string>();
  let folders = [""];
  let left = MAX_FOLDERS;
  for (let depth = 0; depth <= MAX_DEPTH && folders.length > 0; depth++) {
    const looked = folders.slice(0, left);
    left -= looked.length;
    folders = (await Promise.all(looked.map((at) => look(folder, at, files)))).flat();
  }
  return servicesIn(files);
}

/** Reads a folder's source files into `files`; returns its subfolders. */
async function look(root: string, at: string, files: Map<string, string>): Promise<string[]> {
  const entries = await readdir(join(root, at), { withFileTypes: true }).catch((): Dirent[] => []);
  const path = ({ name }: Dirent) => (at === "" ? name : `${at}/${name}`);
  const telling = entries.filter((entry) => entry.isFile() && isSource(entry.name));
  await Promise.all(
    telling.map(async (entry) => {
      const text = await contentOf(join(root, at, entry.name));
      if (text !== undefined) files.set(path(entry), text);
    }),
  );
  return entries.filter((entry) => entry.isDirectory() && !SKIPPED_FOLDERS.test(entry.name)).map(path);
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).size > MAX_BYTES ? undefined : await readFile(path, "utf8");
  } catch {
    // Deleted meanwhile, or not readable.
    return undefined;
  }
}
