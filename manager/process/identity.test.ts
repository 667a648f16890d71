import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isRunning, linuxStart, ownId, startOf } from "./identity.ts";

test("a process is told from a later one with its pid", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(child, "spawn");
  const id = { pid: child.pid!, started: (await startOf(child.pid!))! };
  expect(id.started).toMatch(/./);
  expect(await isRunning(id)).toBe(true);
  expect(await isRunning({ ...id, started: "another time" })).toBe(false);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await isRunning(id)).toBe(false);
  expect(await startOf(child.pid!)).toBeUndefined();
});

test("this process knows itself", async () => {
  expect(await isRunning(await ownId())).toBe(true);
});

test("/proc/PID/stat, recorded", () => {
  // A name may hold spaces and parentheses.
  const stat = (state: string) =>
    `4711 (tmux: (a) b) ${state} 1 4711 4711 0 -1 4194368 1160 83 0 0 5 3 0 0 20 0 1 0 2287654 9220096 1050`;
  expect(linuxStart(stat("S"))).toBe("2287654");
  expect(linuxStart(stat("Z"))).toBeUndefined();
  expect(linuxStart(undefined)).toBeUndefined();
});
