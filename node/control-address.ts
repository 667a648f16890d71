/** Where the control API of the local server listens, and whether it is ours that listens there. */
import { lstatSync, type Stats } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute } from "node:path";

/** Longest path of a Unix socket that every system takes, in bytes (macOS has room for 104 with the final zero). */
const MAX_SOCKET_PATH = 100;

/** The parts of a system that decide where a socket can be. */
export interface SocketPlaces {
  platform: NodeJS.Platform;
  /** This user's folders for sockets, the first one preferred: nobody else can put anything there. */
  runtimeFolders: readonly string[];
  /** The shared temporary directory. */
  temporaryFolder: string;
}

/**
 * Where the control API of the local server of this home listens: a Unix socket in the home; where that path would be too
 * long, a short one in the user's runtime folder or, without one, below the temporary directory; on Windows a named pipe.
 */
export function controlAddress(home: string, places: SocketPlaces = placesHere()): string {
  if (places.platform === "win32") return `\\\\.\\pipe\\linkup-${digest(home.toLowerCase())}`;
  const path = `${home.replace(/\/+$/, "")}/local-server.sock`;
  if (fits(path)) return path;
  const folders = [...places.runtimeFolders.filter(isPrivate), places.temporaryFolder];
  const paths = folders.map(
    (folder) => `${folder.replace(/\/+$/, "")}/linkup-${digest(home)}/local-server.sock`,
  );
  const short = paths.filter(fits);
  // A server that was started with another environment may have had another choice.
  const bound = short.find((path) => statOf(path) && untrustedSocket(path) === undefined);
  return bound ?? short[0] ?? paths.at(-1)!;
}

/**
 * What at this address could be another user's, as the end of a sentence about it; undefined when all is ours or nothing is
 * there yet. Check it before sending secrets: another user may have created a predictable path first.
 */
export function untrustedSocket(address: string): string | undefined {
  if (process.platform === "win32") return undefined;
  const folder = dirname(address);
  const folderStat = statOf(folder);
  if (!folderStat) return undefined;
  if (!folderStat.isDirectory()) return `${folder} is not a folder`;
  if (!isOwn(folderStat)) return `${folder} belongs to another user`;
  if ((folderStat.mode & 0o022) !== 0) return `others may write to ${folder} (chmod 700 ${folder})`;
  const socket = statOf(address);
  if (!socket) return undefined;
  if (!socket.isSocket()) return `${address} is not a socket`;
  return isOwn(socket) ? undefined : `${address} belongs to another user`;
}

/** True where nothing can listen, since there is no socket. */
export function isUnbound(address: string): boolean {
  return process.platform !== "win32" && statOf(address) === undefined;
}

function placesHere(): SocketPlaces {
  const { platform, env } = process;
  const named = env.XDG_RUNTIME_DIR;
  return {
    platform,
    runtimeFolders: [
      ...(named && isAbsolute(named) ? [named] : []),
      // What the variable says on systems with systemd: not every process of the user has it.
      ...(platform === "linux" ? [`/run/user/${process.getuid!()}`] : []),
    ],
    temporaryFolder: tmpdir(),
  };
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH;
}

function isPrivate(folder: string): boolean {
  const stat = statOf(folder);
  return stat?.isDirectory() === true && isOwn(stat) && (stat.mode & 0o077) === 0;
}

function isOwn({ uid }: Stats): boolean {
  return uid === process.getuid!();
}

/** `lstat`: links are not followed. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** 64 bits of FNV-1a in hex: tells homes apart, protects nothing. */
function digest(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
