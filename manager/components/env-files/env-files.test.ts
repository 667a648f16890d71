import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EnvFiles } from "./env-files.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "linkup-env-"));
});
afterEach(() => rmSync(home, { recursive: true }));

/** A service's directory with an env file and what a session adds to it. */
function directory(name: string): string {
  const path = join(home, name);
  mkdirSync(path);
  writeFileSync(join(path, ".env.local"), `NAME=${name}`);
  writeFileSync(join(path, ".env.local.linkup"), "URL=session\n");
  return path;
}
const envOf = (directory: string) => readFileSync(join(directory, ".env.local"), "utf8");

test.each(["", "garbage", "{}", '[{"path":"/etc/passwd"}]'])(
  "a journal that cannot be read is set aside and told: %j",
  async (text) => {
    const journal = join(home, "env-files.json");
    writeFileSync(journal, text);
    const web = directory("web");
    const files = new EnvFiles(home);
    expect(await files.apply("one", [web], home)).toMatchObject([
      { message: expect.stringContaining(journal) },
    ]);
    expect(readdirSync(home).filter((name) => name.startsWith("env-files.json.unreadable-"))).toHaveLength(1);
    expect(envOf(web)).toContain("URL=session");
    expect(await files.restore(() => true)).toEqual([]);
    expect(envOf(web)).toBe("NAME=web");
  },
);

test("sessions that start at the same time all find their files as before when they end", async () => {
  const directories = ["a", "b", "c", "d", "e"].map(directory);
  const files = new EnvFiles(home);
  const applied = await Promise.all(directories.map((path) => files.apply(path, [path], home)));
  expect(applied.flat()).toEqual([]);
  for (const path of directories) expect(envOf(path)).toContain("URL=session");
  await new EnvFiles(home).restore(() => true);
  for (const path of directories) expect(envOf(path)).toMatch(/^NAME=[a-e]$/);
  expect(existsSync(join(home, "env-files.json"))).toBe(false);
});
