/** Reads a tar archive, as far as the releases of cloudflared need it. Pure. */

const BLOCK = 512;

/** The content of the file with this base name, in any folder; undefined without one. Throws when it is not an archive. */
export function fileInTar(archive: Buffer, name: string): Buffer | undefined {
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return undefined;
    const path = text(header, 0, 100);
    const size = Number.parseInt(text(header, 124, 12).trim(), 8);
    const isFile = ["0", ""].includes(text(header, 156, 1));
    if (!(size >= 0) || at + BLOCK + size > archive.length) throw new Error("it is not a tar archive");
    if (isFile && path.split("/").at(-1) === name) return archive.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return undefined;
}

/** Up to the first zero byte. */
function text(header: Buffer, from: number, length: number): string {
  return header
    .subarray(from, from + length)
    .toString("latin1")
    .replace(/\0.*$/s, "");
}
