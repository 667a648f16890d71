/** The Worker as a process on this machine. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { startWorker } from "../../../scripts/embedded-worker.mjs";

const script = pathToFileURL(resolve(import.meta.dirname, "../../../scripts/embedded-worker.mjs")).href;

test.runIf(process.platform === "linux")("ends when the process that started it is killed", async () => {
  const code = `const { startWorker } = await import(${JSON.stringify(script)});
    const { pid } = await startWorker();
    console.log(pid);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(parent.stdout, "data");
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  await expect.poll(() => isAlive(pid)).toBe(false);
});

test("however many run, one listener ends them with this process", async () => {
  const before = process.listenerCount("exit");
  const workers = await Promise.all([startWorker(), startWorker()]);
  expect(process.listenerCount("exit")).toBe(before + 1);
  await Promise.all(workers.map((worker) => worker.stop()));
  expect(process.listenerCount("exit")).toBe(before);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
