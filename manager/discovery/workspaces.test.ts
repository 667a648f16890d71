import { expect, test } from "vitest";
import { workspacesOf } from "./workspaces.ts";

test.each([
  [JSON.stringify({ workspaces: ["apps/*", "!apps/old"] }), undefined, "apps/web", true],
  [JSON.stringify({ workspaces: { packages: ["www/apps/*"] } }), undefined, "www", true],
  [undefined, "packages:\n  - services/**\n", "services/a/b/c/d", true],
  [undefined, "packages:\n  - './libs/*'\n", "libs/x/y", false],
  [undefined, "packages: ['app-*']\n", "app-one", true],
  [undefined, "packages: ['app-*']\n", "other", false],
  ["{", "- [", "apps", false],
])("%j and %j: %s", (packageJson, pnpmWorkspace, folder, expected) => {
  expect(workspacesOf(packageJson, pnpmWorkspace)(folder)).toBe(expected);
});
