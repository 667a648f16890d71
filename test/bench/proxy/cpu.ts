/** What a process and its children have used, from the kernel's own count. */
import { readdirSync, readFileSync } from "node:fs";

/** CPU seconds of all threads of the process and of its children. */
export function cpuSeconds(pid: number): number {
  return [pid, ...children(pid)].flatMap(threadSeconds).reduce((sum, each) => sum + each, 0);
}

function threadSeconds(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((task) => {
      const [used] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ");
      return Number(used) / 1e9;
    });
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** Resident memory in bytes. */
export function memory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}

export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function children(pid: number): number[] {
  const direct = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && parent(name) === pid)
    .map(Number);
  return direct.flatMap((child) => [child, ...children(child)]);
}

/** The fourth field of stat; the second, the command in brackets, may hold anything. */
function parent(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
