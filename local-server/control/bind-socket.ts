/** Binds the control API to its address: there is one local server for each home. */
import { chmodSync, lstatSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { untrustedSocket } from "../../node/control-address.ts";

/** True when bound; false when a running server has the address. */
export async function bindSocket(server: Server, address: string): Promise<boolean> {
  const pipe = address.startsWith("\\\\.\\pipe\\");
  if (!pipe) ownDirectory(dirname(address));
  const untrusted = untrustedSocket(address);
  if (untrusted) throw new Error(`${untrusted}: remove it, or set LINKUP_HOME to a directory of yours.`);
  if (await listens(server, address)) return true;
  if (pipe || (await isLive(address))) return false;
  return withLock(`${address}.lock`, async () => {
    // Another process may have replaced the dead server meanwhile.
    if (await isLive(address)) return false;
    rmSync(address, { force: true });
    return listens(server, address);
  });
}

function listens(server: Server, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    };
    server.once("error", failed);
    server.listen({ path: address, readableAll: false, writableAll: false }, () => {
      server.off("error", failed);
      if (!address.startsWith("\\\\.\\pipe\\")) chmodSync(address, 0o600);
      resolve(true);
    });
  });
}

function isLive(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Makes the directory, or makes sure that it is ours alone: in a shared /tmp it could be somebody else's. */
function ownDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(path);
  if (process.getuid && uid === process.getuid() && (mode & 0o077) !== 0) chmodSync(path, 0o700);
}

/** A lock directory, held for milliseconds; one that is 10 s old was left by a crash. */
async function withLock<T>(path: string, act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      mkdirSync(path);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (age(path) > 10_000) rmSync(path, { recursive: true, force: true });
      else await sleep(50);
    }
  }
  try {
    return await act();
  } finally {
    rmdirSync(path);
  }
}

function age(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat ? Date.now() - stat.mtimeMs : 0;
}
