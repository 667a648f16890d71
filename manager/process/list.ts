/** Lists the processes of this machine, to find orphans. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface ProcessEntry {
  pid: number;
  /** The command line as the operating system shows it. */
  command: string;
}

export async function listProcesses(): Promise<ProcessEntry[]> {
  const windows = process.platform === "win32";
  const [command, ...args] = windows
    ? [
        "powershell.exe",
        "-NoProfile",
        "-NonInteractive",
        "-Command",
        'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.CommandLine)" }',
      ]
    : ["ps", "-A", "-ww", "-o", "pid=,args="];
  const { stdout } = await promisify(execFile)(command!, args, {
    windowsHide: true,
    maxBuffer: 32 * 1024 * 1024,
  });
  return parseProcesses(stdout);
}

/** Lines of a pid and a command line; a pid alone is a process that may not be looked at. */
export function parseProcesses(text: string): ProcessEntry[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, pid, command] = /^\s*(\d+)\s+(\S.*)$/.exec(line) ?? [];
    return pid && command ? [{ pid: Number(pid), command: command.trimEnd() }] : [];
  });
}

/** True for a local server, keeper or cloudflared that was started for this home. */
export function isOurProcess({ command }: ProcessEntry, home: string): boolean {
  const folder = home.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const served = new RegExp(`(local-server|local-dns|cli)\\.js.* --home "?${folder}"?( |$)`);
  const tunnelled = new RegExp(`cloudflared.*${folder}[/\\\\]tunnels[/\\\\]`);
  return served.test(command) || tunnelled.test(command);
}
