/** Processes of other programs, for tests that look for what is left. */
import { type ChildProcessByStdio, execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { Readable } from "node:stream";

/** The processes whose environment has this line (`NAME=value`): their arguments by pid, the program itself left out. */
export function processesWith(line: string): Map<number, string> {
  return process.platform === "linux" ? fromProc(line) : fromPs(line);
}

function fromProc(line: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (!readFileSync(`/proc/${entry}/environ`, "utf8").split("\0").includes(line)) continue;
      const commandLine = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      // A process that has just ended has none.
      if (commandLine.join("") !== "") found.set(Number(entry), commandLine.slice(1).join(" "));
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** macOS: the environment comes after the arguments. */
function fromPs(line: string): Map<number, string> {
  const rows = execFileSync("ps", ["-axEww", "-o", "pid=,command="], { encoding: "utf8" }).split("\n");
  const found = rows.flatMap((row): [number, string][] => {
    const [, pid, command] = /^\s*(\d+)\s+\S+\s?(.*)$/.exec(row) ?? [];
    return command !== undefined && `${command} `.includes(`${line} `) ? [[Number(pid), command]] : [];
  });
  return new Map(found);
}

/** Bytes of main memory that a process has. */
export function residentBytes(pid: number): number {
  const kilobytes =
    process.platform === "linux"
      ? /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]
      : execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  return Number(kilobytes) * 1024;
}

/** What a child has printed so far. */
export function collectOutput({ stdout, stderr }: ChildProcessByStdio<null, Readable, Readable>) {
  const output = { stdout: "", stderr: "" };
  stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  return output;
}
