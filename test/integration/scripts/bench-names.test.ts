/** What a benchmark says to names in its lists that it does not know. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");

test.each([
  ["page", ["--ways", "straight,nothing"], '--ways: there is no "nothing", but straight, http2, nginx, '],
  ["page", ["--only", "module"], '--only: there is no "module", but modules, bundle.'],
  ["proxy", ["--only", "1k,2k,3k"], '--only: there is no "2k", "3k", but 1k, '],
  ["worker", ["--only", "warm,"], '--only: there is no "", but warm, '],
  ["idle", ["--only", "tunnel"], '--only: there is no "tunnel", but direct, cloudflare.'],
])("bench:%s %j ends at once, and says which there are", (name, options, told) => {
  const main = `test/bench/${name}/main.ts`;
  const { status, stderr } = spawnSync(process.execPath, [main, ...options], { cwd: root, encoding: "utf8" });
  expect(stderr).toContain(told);
  expect(status).toBe(2);
});
