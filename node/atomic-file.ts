/** Atomic file replacement: after a crash a file has its old or its new content. */
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export interface FilePermissions {
  mode: number;
  uid?: number;
  gid?: number;
}

/**
 * Replaces the file by this content: temporary file beside it, fsync, rename. Only the owner may read it unless
 * `rights` differ. Callers hold a lock, so a fixed temporary name is safe and leftovers are removed.
 */
export async function writeAtomically(
  path: string,
  content: string | Uint8Array,
  rights: FilePermissions = { mode: 0o600 },
): Promise<void> {
  const temporary = `${path}.linkup-tmp`;
  await rm(temporary, { force: true });
  try {
    const file = await open(temporary, "wx", rights.mode);
    try {
      await give(file, rights);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function give(file: FileHandle, { mode, uid, gid }: FilePermissions): Promise<void> {
  if (process.platform === "win32") return;
  const now = await file.stat();
  if (uid !== undefined && gid !== undefined && (now.uid !== uid || now.gid !== gid))
    await file.chown(uid, gid);
  // `open` applied the umask.
  await file.chmod(mode);
}

/** Makes a rename durable across a power loss. Windows cannot sync directories. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
