/** Manages a block of names in the hosts file, for machines whose resolver cannot use local DNS. The rest stays untouched. */
import { open, readFile } from "node:fs/promises";

export const HOSTS_FILE = "/etc/hosts";
const BEGIN = "# Linkup, begin: do not edit";
const END = "# Linkup, end";

/** The hosts file with our block, at its end, for these names. */
export function withHosts(text: string, hosts: readonly string[]): string {
  const before = withoutHosts(text);
  if (hosts.length === 0) return before;
  const lines = hosts.flatMap((host) => [`127.0.0.1 ${host}`, `::1 ${host}`]);
  const gap = before === "" || before.endsWith("\n") ? "" : "\n";
  return `${before}${gap}${BEGIN}${gap ? " (no newline before)" : ""}\n${lines.join("\n")}\n${END}\n`;
}

/** The hosts file without our block, byte for byte as it was. */
export function withoutHosts(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(`${END}\n`, begin);
  if (begin === -1 || end === -1) return text;
  const gap = text.startsWith(`${BEGIN} (no newline before)`, begin) ? 1 : 0;
  return text.slice(0, begin - gap) + text.slice(end + END.length + 1);
}

/** The host names in our block. */
export function hostsIn(text: string): string[] {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin === -1 || end === -1) return [];
  return Array.from(text.slice(begin, end).matchAll(/^127\.0\.0\.1 (\S+)$/gm), ([, host]) => host!);
}

/**
 * Updates the block to these hosts. False when this user may not write the file, which then stays as it is.
 */
export async function followSessions(hosts: readonly string[], file = HOSTS_FILE): Promise<boolean> {
  const text = await readFile(file, "utf8");
  const next = withHosts(text, hosts);
  if (next === text) return true;
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    // Written in place: in containers it is a mount, which cannot be replaced by rename.
    handle = await open(file, "r+");
  } catch (error) {
    if (["EACCES", "EPERM", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
  try {
    const bytes = Buffer.from(next);
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.truncate(bytes.length);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return true;
}
