import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "linkup-house-"));
const rules = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
writeFileSync(join(folder, "biome.json"), JSON.stringify({ ...rules, vcs: { enabled: false } }));
afterAll(() => rmSync(folder, { recursive: true }));

/** Whether the lint rules let this file import that. */
function mayImport(file: string, imported: string): boolean {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `import { thing } from "${imported}";\n\nexport const it = thing;\n`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "node_modules/@biomejs/biome/bin/biome"), "lint", path],
    { cwd: folder, encoding: "utf8" },
  );
  rmSync(path);
  if (status === 0) return true;
  expect(stdout + stderr).toContain("noRestrictedImports");
  return false;
}

test.each([
  ["core/a.ts", "./b.ts", true],
  ["core/config/a.ts", "../b.ts", true],
  ["core/a.ts", "../worker/b.ts", false],
  ["core/a.ts", "../manager/b.ts", false],
  ["core/a.ts", "node:fs", false],
  ["core/a.ts", "vscode", false],
  ["worker/a.ts", "../core/b.ts", true],
  ["worker/a.ts", "../manager/b.ts", false],
  ["local-server/a.ts", "../core/b.ts", true],
  ["local-server/a.ts", "../worker/b.ts", false],
  ["local-server/proxy/a.ts", "../../manager/b.ts", false],
  ["manager/a.ts", "../core/b.ts", true],
  ["manager/a.ts", "../local-server/b.ts", false],
  ["manager/a.ts", "vscode", false],
  ["cli/a.ts", "../manager/b.ts", true],
  ["cli/a.ts", "../extension/b.ts", false],
  ["cli/a.ts", "vscode", false],
  ["extension/a.ts", "vscode", true],
  ["extension/views/a.ts", "../../manager/b.ts", true],
  ["extension/a.ts", "../cli/b.ts", false],
  ["extension/a.ts", "../local-server/b.ts", false],
])("%s may import %s: %s", (file, imported, allowed) => {
  expect(mayImport(file, imported)).toBe(allowed);
});

describe("the README names", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const { contributes, scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const texts = JSON.parse(readFileSync(join(root, "package.nls.json"), "utf8"));

  test("every command", () => {
    const titles = contributes.commands.map(
      ({ title }: { title: string }) => texts[title.replaceAll("%", "")],
    );
    expect(titles.filter((title: string) => !readme.includes(`**${title}**`))).toEqual([]);
  });

  test("every setting", () => {
    const settings = Object.keys(contributes.configuration.properties);
    expect(settings.filter((setting) => !readme.includes(`\`${setting}\``))).toEqual([]);
  });

  test("every script", () => {
    expect(
      Object.keys(scripts).filter(
        (name) => !readme.includes(`npm ${name === "test" ? "" : "run "}${name}\``),
      ),
    ).toEqual([]);
  });
});

test("every dependency has its line in docs/contribute/dependencies.md", () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const text = readFileSync(join(root, "docs/contribute/dependencies.md"), "utf8");
  const named = Object.keys(devDependencies).filter((name) => !name.startsWith("@types/"));
  expect(named.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});
