/** The TCP ports with a listener on this machine. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Undefined where the system does not provide them. */
export async function listeningPorts(
  platform: NodeJS.Platform = process.platform,
): Promise<Set<number> | undefined> {
  try {
    if (platform === "linux") return fromProc(await procTables());
    if (platform === "darwin") {
      const { stdout } = await run("lsof", ["-nP", "-iTCP", "-sTCP:LISTEN", "-Fn"], { timeout: 5000 });
      return fromLsof(stdout);
    }
    if (platform === "win32")
      return fromNetstat((await run("netstat", ["-an", "-p", "TCP"], { timeout: 5000 })).stdout);
  } catch {
    // The tool is missing or failed: report unknown.
  }
  return undefined;
}

async function procTables(): Promise<string> {
  const v6 = readFile("/proc/net/tcp6", "utf8").catch(() => "");
  return (await readFile("/proc/net/tcp", "utf8")) + (await v6);
}

/** Lines as `0: 0100007F:0BB8 00000000:0000 0A …`; 0A is LISTEN. */
export function fromProc(table: string): Set<number> {
  return ports(table, /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A /gm, 16);
}

/** Lines as `n*:3000` and `n[::1]:3000`. */
export function fromLsof(output: string): Set<number> {
  return ports(output, /^n.*:(\d+)$/gm, 10);
}

/** Lines as `  TCP    127.0.0.1:3000    0.0.0.0:0    LISTENING`; the last word is translated, the peer's port is 0. */
export function fromNetstat(output: string): Set<number> {
  return ports(output, /^\s*TCP\s+\S+:(\d+)\s+\S+:0\s/gm, 10);
}

function ports(text: string, line: RegExp, radix: number): Set<number> {
  return new Set(Array.from(text.matchAll(line), ([, port]) => Number.parseInt(port!, radix)));
}
