import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeAtomically } from "./atomic-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "linkup-atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("what a killed process left beside the file goes with the next write", async () => {
  const path = join(folder, "state.json");
  writeFileSync(`${path}.linkup-tmp`, "half", { mode: 0o644 });
  await writeAtomically(path, "whole");
  expect(readdirSync(folder)).toEqual(["state.json"]);
  expect(readFileSync(path, "utf8")).toBe("whole");
  if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a write that fails leaves nothing", async () => {
  const path = join(folder, "missing", "state.json");
  await expect(writeAtomically(path, "content")).rejects.toThrow("ENOENT");
  expect(readdirSync(folder)).toEqual([]);
});
