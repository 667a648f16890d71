import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Lock } from "../../../node/lock.ts";

test("the lock of a process that has ended is taken over", async () => {
  const folder = mkdtempSync(join(tmpdir(), "linkup-lock-"));
  try {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    const path = join(folder, "lock");
    writeFileSync(path, JSON.stringify({ pid: child.pid, started: "1" }));
    const lock = new Lock(path, (cause) => new Error("refused", { cause }));
    expect(await lock.hold(async () => "taken")).toBe("taken");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
