import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expandTilde, stateHome } from "./home.ts";

test.each([
  ["~", homedir()],
  ["~/projects/linkup.yaml", join(homedir(), "projects/linkup.yaml")],
  ["~ada/linkup.yaml", "~ada/linkup.yaml"],
  ["work/~/linkup.yaml", "work/~/linkup.yaml"],
  ["~backup", "~backup"],
])("the tilde of %s", (path, expanded) => {
  expect(expandTilde(path)).toBe(expanded);
});

test("without LINKUP_HOME, or with an empty one, state is in the user's folder", () => {
  expect(stateHome({ LINKUP_HOME: "" })).toBe(stateHome({}));
  expect(stateHome({ LINKUP_HOME: "~/none/such" })).toBe(join(homedir(), "none/such"));
  expect(stateHome({ LINKUP_HOME: "none/such" })).toBe(resolve("none/such"));
});

describe.skipIf(process.platform === "win32")("a home that is a link", () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "linkup-h-")));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("is the folder that it leads to, so both names are one home", () => {
    const real = join(folder, "real");
    const link = join(folder, "link");
    mkdirSync(real);
    symlinkSync(real, link);
    expect(stateHome({ LINKUP_HOME: link })).toBe(real);
    symlinkSync(join(folder, "nowhere"), join(folder, "dangling"));
    expect(stateHome({ LINKUP_HOME: join(folder, "dangling") })).toBe(join(folder, "dangling"));
  });
});
