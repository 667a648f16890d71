import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Lock } from "./lock.ts";
import { ownId } from "./process-identity.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "linkup-lock-"));
  path = join(folder, "lock");
});
afterEach(() => rmSync(folder, { recursive: true }));

const newLock = () => new Lock(path, (cause) => new Error("refused", { cause }));

describe("one at a time", () => {
  test.each([
    ["within one lock", () => [newLock()]],
    ["between several", () => [newLock(), newLock(), newLock()]],
  ])("%s", async (_, make) => {
    const locks = make();
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        locks[i % locks.length]!.hold(async () => {
          most = Math.max(most, ++inside);
          for (let turns = 0; turns < 5; turns++) await turn();
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(existsSync(path)).toBe(false);
  });
});

test("a failing holder frees it", async () => {
  const lock = newLock();
  await expect(lock.hold(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await lock.hold(async () => "free")).toBe("free");
});

describe("the lock of a holder that is gone is taken over", () => {
  test("whose pid another process has now", async () => {
    writeFileSync(path, JSON.stringify({ pid: process.pid, started: "long ago" }));
    expect(await newLock().hold(async () => "taken")).toBe("taken");
  });

  test("by one of many", async () => {
    writeFileSync(path, JSON.stringify({ pid: process.pid, started: "long ago" }));
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 10 }, () =>
        newLock().hold(async () => {
          most = Math.max(most, ++inside);
          for (let turns = 0; turns < 5; turns++) await turn();
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
  });
});

test("the lock of a living holder is waited for, until the wait is given up", async () => {
  writeFileSync(path, JSON.stringify(await ownId()));
  await expect(newLock().hold(async () => "taken", AbortSignal.timeout(200))).rejects.toMatchObject({
    name: "AbortError",
  });
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(await ownId());
});

test("a folder that does not take it is told by the failure", async () => {
  const lock = new Lock(join(folder, "missing", "lock"), (cause) => new Error("refused", { cause }));
  await expect(lock.hold(async () => {})).rejects.toThrow("refused");
});
