import { homedir } from "node:os";
import { expect, test } from "vitest";
import { expandPath } from "./expand-path.ts";

test.each([
  ["", ""],
  ["config/linkup.yaml", "config/linkup.yaml"],
  ["  ../linkup.yaml ", "../linkup.yaml"],
  ["$" + "{workspaceFolder}/../linkup.yaml", "/projects/shop/../linkup.yaml"],
  ["$" + "{userHome}/linkup.yaml", `${homedir()}/linkup.yaml`],
  ["$" + "{env:TOKEN}/x", "$" + "{env:TOKEN}/x"],
])("the setting %j", (setting, path) => {
  expect(expandPath(setting, "/projects/shop")).toBe(path);
});

test("without a folder its variable stays", () => {
  expect(expandPath("$" + "{workspaceFolder}/bin/cloudflared")).toBe(
    "$" + "{workspaceFolder}/bin/cloudflared",
  );
});
