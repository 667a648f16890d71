/** Where the control API of the local server listens. */
import { tmpdir } from "node:os";

/** Longest path of a Unix socket that every system takes, in bytes (macOS has room for 104 with the final zero). */
const MAX_SOCKET_PATH = 100;

/**
 * Where the control API of the local server of this home listens: a Unix socket in the home, a shorter path under
 * the temporary directory when that one would be too long, on Windows a named pipe.
 * Its directory belongs to the user alone (0700): who connects should refuse one that does not.
 */
export function controlAddress(
  home: string,
  platform: string = process.platform,
  temporary = tmpdir(),
): string {
  if (platform === "win32") return `\\\\.\\pipe\\linkup-${digest(home.toLowerCase())}`;
  const path = `${home.replace(/\/+$/, "")}/local-server.sock`;
  if (new TextEncoder().encode(path).length <= MAX_SOCKET_PATH) return path;
  return `${temporary.replace(/\/+$/, "")}/linkup-${digest(home)}/local-server.sock`;
}

/** 64 bits of FNV-1a in hex: tells homes apart, protects nothing. */
function digest(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
