import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");

test("wrangler accepts the Worker's configuration, with its objects and their migration", () => {
  const folder = mkdtempSync(join(tmpdir(), "linkup-deploy-"));
  const run = (script: string, ...args: string[]) =>
    spawnSync(process.execPath, [script, ...args], {
      cwd: root,
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: folder, WRANGLER_SEND_METRICS: "false", CI: "1" },
    });
  try {
    expect(run(join(root, "esbuild.mjs"), "worker").status).toBe(0);
    const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
    const { status, stdout, stderr } = run(
      wrangler,
      ...["deploy", "--config", "worker/wrangler.jsonc", "--dry-run", "--outdir", join(folder, "out")],
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("env.SESSIONS (SessionObject)");
    expect(stdout).toContain("env.DIRECTORY (DirectoryObject)");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
