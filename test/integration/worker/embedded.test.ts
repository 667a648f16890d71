/** The Worker as a process on this machine. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

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

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
