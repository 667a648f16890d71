/** Files that are either as before or as meant, never half, whatever dies in between. */
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export interface Rights {
  mode: number;
  uid?: number;
  gid?: number;
}

/**
 * Replaces the file by this content: temporary file beside it, fsync, rename. Only the owner may read it unless
 * `rights` say else. Callers hold a lock, so the temporary file has one name: what a killed process left of it goes.
 */
export async function writeAtomically(
  path: string,
  content: string | Uint8Array,
  rights: Rights = { mode: 0o600 },
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

async function give(file: FileHandle, { mode, uid, gid }: Rights): Promise<void> {
  if (process.platform === "win32") return;
  const now = await file.stat();
  if (uid !== undefined && gid !== undefined && (now.uid !== uid || now.gid !== gid))
    await file.chown(uid, gid);
  // The umask has taken its part of it.
  await file.chmod(mode);
}

/** Makes a rename last over a power cut. Windows has no such call on directories. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
