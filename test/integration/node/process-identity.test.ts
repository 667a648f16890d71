import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isRunning, startOf } from "../../../node/process-identity.ts";

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
