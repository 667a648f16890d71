import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isTracked } from "../../../extension/language/document/git-tracked.ts";

test("a file is tracked once it is added", async () => {
  const folder = mkdtempSync(join(tmpdir(), "linkup-tracked-"));
  try {
    const file = join(folder, "linkup.yaml");
    writeFileSync(file, "");
    expect(await isTracked(file)).toBe(false);
    execFileSync("git", ["init", "-q"], { cwd: folder });
    expect(await isTracked(file)).toBe(false);
    execFileSync("git", ["add", "linkup.yaml"], { cwd: folder });
    expect(await isTracked(file)).toBe(true);
    expect(await isTracked(join(folder, "nowhere", "linkup.yaml"))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
