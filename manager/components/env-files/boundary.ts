/** Where a configuration may have env files changed: in its own folder and its repository, wherever links lead. */
import { existsSync } from "node:fs";
import { readlink, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";

/** More links in a row than any system follows. */
const MAX_LINKS = 40;

/** The path leads out of the boundary, or into the repository's own data. The message is a clause with the real path. */
export class OutsideError extends Error {
  constructor(realPath: string, root: string) {
    super(`its real path is ${realPath}, which is not among the files of ${root}`);
  }
}

/**
 * The outermost folder whose files a configuration may name, as a real path: that of its repository, else its own. The
 * user's home is never taken for a repository, although some keep their dotfiles in one.
 */
export async function boundaryOf(configFolder: string, home = homedir()): Promise<string> {
  const folder = await realpath(configFolder);
  const realHome = await realpath(home).catch(() => home);
  for (let at = folder; at !== realHome && dirname(at) !== at; at = dirname(at))
    if (existsSync(join(at, ".git"))) return at;
  return folder;
}

/** The real path, also of a file that does not exist yet. Rejects with an OutsideError when it is not within the boundary. */
export async function realPathWithin(root: string, path: string): Promise<string> {
  const real = await followed(path);
  const inside = relative(root, real);
  const parts = inside.split(sep);
  if (isAbsolute(inside) || parts[0] === ".." || parts.some((part) => part.toLowerCase() === ".git"))
    throw new OutsideError(real, root);
  return real;
}

/** The file behind symbolic links, also behind those whose file does not exist yet. */
async function followed(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || links > MAX_LINKS) throw error;
  }
  // What a link says counts from the folder that it lies in, which may be behind a link itself.
  const folder = await realpath(dirname(path));
  const link = await readlink(path).catch(() => undefined);
  if (link === undefined) return join(folder, basename(path));
  // Not normalised: behind a link, `..` is the folder above the one that it leads to.
  return followed(isAbsolute(link) ? link : `${folder}${sep}${link}`, links + 1);
}
