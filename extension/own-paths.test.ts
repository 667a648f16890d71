import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Snapshot } from "../manager/model/snapshot.ts";
import { SESSION } from "../test/support/extension-window.ts";
import { withOwnPaths } from "./own-paths.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "linkup-o-")));
  mkdirSync(join(folder, "shop"));
  writeFileSync(join(folder, "shop/linkup.yaml"), "");
  symlinkSync(join(folder, "shop"), join(folder, "link"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const snapshotOf = (...paths: (string | undefined)[]): Snapshot => ({
  sessions: paths.map((configPath) => ({ ...SESSION, configPath })),
  components: [],
  problems: [{ code: "internal", title: "", message: "", actions: [], configPath: paths[0] }] as never,
});

test.skipIf(process.platform === "win32")(
  "a session that a terminal started is the window's own, opened by a link",
  () => {
    const [real, link] = [join(folder, "shop/linkup.yaml"), join(folder, "link/linkup.yaml")];
    const { sessions, problems } = withOwnPaths(snapshotOf(real, "/other/linkup.yaml", undefined), [
      { path: link },
    ]);
    expect(sessions.map(({ configPath }) => configPath)).toEqual([link, "/other/linkup.yaml", undefined]);
    expect(problems[0]!.configPath).toBe(link);
    expect(withOwnPaths(snapshotOf(link), [{ path: real }]).sessions[0]!.configPath).toBe(real);
  },
);

test("nothing is copied where nothing has another name", () => {
  const snapshot = snapshotOf("/shop/linkup.yaml", "/gone/linkup.yaml");
  expect(withOwnPaths(snapshot, [{ path: "/shop/linkup.yaml" }])).toBe(snapshot);
  expect(withOwnPaths(snapshot, [])).toBe(snapshot);
});
