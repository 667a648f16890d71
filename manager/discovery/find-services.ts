/** Reads what tells of services in a workspace. */
import type { Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FoundService } from "./found-service.ts";
import { isTelling, servicesIn } from "./proposals.ts";

export type { FoundService };

/** `packages/team/web` is looked into, what lies deeper is not. */
const DEPTH = 3;
const MOST_FOLDERS = 500;
/** A longer file was not written by hand. */
const MOST_BYTES = 256 * 1024;
/** Where others' code, results and tests lie. */
const PASSED_OVER =
  /^(\..*|node_modules|vendor|bower_components|dist|build|out|target|coverage|tmp|__.*__|tests?|e2e|fixtures|examples)$/;

/**
 * The services that a workspace seems to have, by its package.json files, Procfiles, Docker Compose files and env
 * files; those whose port nothing tells are left out. Files and folders that cannot be read tell nothing. Never rejects.
 */
export async function findServices(folder: string): Promise<FoundService[]> {
  const files = new Map<string, string>();
  let folders = [""];
  let left = MOST_FOLDERS;
  for (let depth = 0; depth <= DEPTH && folders.length > 0; depth++) {
    const looked = folders.slice(0, left);
    left -= looked.length;
    folders = (await Promise.all(looked.map((at) => look(folder, at, files)))).flat();
  }
  return servicesIn(files);
}

/** Puts what a folder tells into `files`; returns the folders inside. */
async function look(root: string, at: string, files: Map<string, string>): Promise<string[]> {
  const entries = await readdir(join(root, at), { withFileTypes: true }).catch((): Dirent[] => []);
  const path = ({ name }: Dirent) => (at === "" ? name : `${at}/${name}`);
  const telling = entries.filter((entry) => entry.isFile() && isTelling(entry.name));
  await Promise.all(
    telling.map(async (entry) => {
      const text = await contentOf(join(root, at, entry.name));
      if (text !== undefined) files.set(path(entry), text);
    }),
  );
  return entries.filter((entry) => entry.isDirectory() && !PASSED_OVER.test(entry.name)).map(path);
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).size > MOST_BYTES ? undefined : await readFile(path, "utf8");
  } catch {
    // Gone meanwhile, or somebody else's.
    return undefined;
  }
}
