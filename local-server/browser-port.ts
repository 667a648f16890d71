/** The port that browsers connect to: the same each time, so that session URLs stay valid. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Options } from "./options.ts";

/** Free on most machines, and memorable. */
const CONVENTIONAL_PORT = 9080;

/** Ports to try, in order; 0: any. */
export function preferredPorts({ home, browserPort }: Pick<Options, "home" | "browserPort">): number[] {
  if (browserPort !== undefined) return [browserPort];
  const remembered = rememberedPort(home);
  return remembered === undefined ? [CONVENTIONAL_PORT, 0] : [remembered, CONVENTIONAL_PORT, 0];
}

/** The one used last time. */
export function rememberedPort(home: string): number | undefined {
  try {
    const port = Number(readFileSync(fileIn(home), "utf8"));
    return Number.isInteger(port) && port > 0 && port <= 65535 ? port : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export function rememberPort(home: string, port: number): void {
  if (rememberedPort(home) === port) return;
  const file = fileIn(home);
  const temporary = `${file}.${process.pid}`;
  const descriptor = openSync(temporary, "w", 0o600);
  try {
    writeSync(descriptor, `${port}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}

function fileIn(home: string): string {
  return join(home, "browser-port");
}
