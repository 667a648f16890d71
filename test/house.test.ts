import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { PACKAGES } from "../.dependency-cruiser.mjs";

const root = resolve(import.meta.dirname, "..");

interface Violation {
  readonly rule: string;
  readonly to: string;
}

/** What the layers say of these modules, each given with what it imports: what each of them imports against which rule. */
function violations(modules: Record<string, readonly string[]>): Map<string, Violation[]> {
  const folder = mkdtempSync(join(tmpdir(), "linkup-house-"));
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  for (const file of Object.values(modules).flat())
    if (file.endsWith(".ts")) write(file, "export type Thing = string;\n");
  for (const [file, imported] of Object.entries(modules))
    write(file, imported.map((name) => importOf(file, name)).join(""));
  const { stdout } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs"),
      ...["--config", join(root, ".dependency-cruiser.mjs"), "--output-type", "json", "."],
    ],
    { cwd: folder, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  rmSync(folder, { recursive: true });
  const found = new Map<string, Violation[]>();
  for (const { from, to, rule } of JSON.parse(stdout).summary.violations)
    found.set(from, [...(found.get(from) ?? []), { rule: rule.name, to }]);
  return found;
}

/** A module of a layer. */
function moduleIn(name: string, layer: string): string {
  return layer.endsWith(".ts") ? `${name}/${layer.replace("*", "any")}` : `${name}/${layer}/any.ts`;
}

/** An import of a type alone, which counts as any other. */
function importOf(file: string, name: string): string {
  const path = name.includes("/") ? relative(dirname(file), name).replaceAll("\\", "/") : name;
  return `import type { Thing } from "${path.startsWith(".") || path === name ? path : `./${path}`}";\n`;
}

describe("the layers", () => {
  const allowed: Record<string, string[]> = {
    "core/routing/allowed.ts": ["core/session/a.ts", "core/hex.ts"],
    "core/routing/allowed.test.ts": ["core/api/a.ts", "node:fs"],
    "node/allowed.ts": ["core/session/a.ts", "node:fs"],
    "worker/proxy/allowed.ts": ["worker/objects/a.ts", "core/routing/a.ts"],
    "local-server/proxy/allowed.ts": ["local-server/http/a.ts", "core/routing/a.ts", "node/a.ts"],
    "manager/reconcile/allowed.ts": ["manager/model/a.ts", "core/session/a.ts", "node/a.ts"],
    "agent-tools/allowed.ts": ["manager/model/a.ts", "core/session/a.ts"],
    "cli/commands/allowed.ts": ["cli/print/a.ts", "manager/model/a.ts", "agent-tools/a.ts"],
    "extension/views/allowed.ts": ["extension/ids.ts", "manager/model/a.ts", "agent-tools/a.ts", "vscode"],
  };
  const againstTheOrder: Record<string, string[]> = {
    // Between packages.
    "core/session/a1.ts": ["worker/env.ts"],
    "core/session/a2.ts": ["node/a.ts"],
    "core/session/a3.ts": ["node:fs"],
    "core/session/a4.ts": ["vscode"],
    "node/a1.ts": ["manager/model/a.ts"],
    "worker/proxy/a1.ts": ["manager/model/a.ts"],
    "worker/proxy/a2.ts": ["node/a.ts"],
    "local-server/proxy/a1.ts": ["worker/env.ts"],
    "local-server/proxy/a2.ts": ["manager/model/a.ts"],
    "manager/reconcile/a1.ts": ["local-server/http/a.ts"],
    "manager/reconcile/a2.ts": ["vscode"],
    "manager/reconcile/a3.ts": ["test/support/a.ts"],
    "agent-tools/a1.ts": ["cli/print/a.ts"],
    "agent-tools/a2.ts": ["vscode"],
    "cli/commands/a1.ts": ["extension/ids.ts"],
    "cli/commands/a2.ts": ["local-server/http/a.ts"],
    "cli/commands/a3.ts": ["vscode"],
    "extension/views/a1.ts": ["cli/print/a.ts"],
    "extension/views/a2.ts": ["local-server/http/a.ts"],
    "extension/language/features/a1.ts": ["vscode"],
    // Between the layers of a package.
    "core/session/b.ts": ["core/routing/a.ts"],
    "worker/objects/b.ts": ["worker/proxy/a.ts"],
    "local-server/upstream/b.ts": ["local-server/proxy/a.ts"],
    "manager/model/b.ts": ["manager/reconcile/a.ts"],
    "extension/language/document/b.ts": ["extension/language/features/a.ts"],
    "cli/print/b.ts": ["cli/commands/a.ts"],
    // In no layer, whether imported or not.
    "core/helpers/c.ts": [],
    "node/shared/c.ts": [],
    "worker/other.ts": ["worker/env.ts"],
    "local-server/common/c.ts": [],
    "manager/components/new/c.ts": [],
    "agent-tools/new/c.ts": [],
    "extension/c.ts": [],
    "cli/print/new/c.ts": [],
  };
  const inACycle: Record<string, string[]> = Object.fromEntries(
    ["core/session", "node", "worker/api", "local-server/http", "manager/model", "agent-tools"]
      .concat("extension/views", "cli/print", "infra", "action")
      .flatMap((folder) => [
        [`${folder}/d1.ts`, [`${folder}/d2.ts`]],
        [`${folder}/d2.ts`, [`${folder}/d1.ts`]],
      ]),
  );
  const found = violations({ ...allowed, ...againstTheOrder, ...inACycle });
  const rulesBrokenBy = (file: string) => (found.get(file) ?? []).map(({ rule }) => rule);

  test.each(Object.entries(allowed))("%s may import %s", (file) => {
    expect(rulesBrokenBy(file)).toEqual([]);
  });

  test.each(Object.entries(againstTheOrder))("%s may not stand there and import %s", (file) => {
    expect(rulesBrokenBy(file)).toHaveLength(1);
  });

  test.each(Object.keys(inACycle).filter((file) => file.endsWith("1.ts")))(
    "%s and its neighbour, which import each other's types, are a cycle",
    (file) => {
      expect(rulesBrokenBy(file)).toEqual([expect.stringContaining("no cycle")]);
    },
  );
});

describe("in each package", () => {
  const packages = Object.entries(PACKAGES);
  const lines = (name: string) => PACKAGES[name]?.layers.map((line) => [line].flat()) ?? [];
  const rows = packages.flatMap(([name]) =>
    lines(name).flatMap((line, index) =>
      line.map((layer) => {
        const beside = line.filter((other) => other !== layer);
        const others = [
          ...beside,
          ...lines(name)
            .slice(index + 1)
            .flat(),
        ];
        return { name, layer, later: others.map((other) => moduleIn(name, other)) };
      }),
    ),
  );
  /** A module of each package, in a layer that nothing else here imports from. */
  const importer = (name: string) => moduleIn(name, lines(name).at(-1)?.[0] ?? "");
  const others = (name: string) =>
    packages
      .filter(([other]) => other !== name)
      .map(([other]) => moduleIn(other, lines(other)[0]?.[0] ?? ""));
  const modules = new Map<string, string[]>();
  const add = (file: string, imports: readonly string[]) =>
    modules.set(file, [...(modules.get(file) ?? []), ...imports]);
  for (const { name, layer, later } of rows) add(moduleIn(name, layer), later);
  for (const [name] of packages) {
    add(importer(name), others(name));
    add(`${name}/unplaced/any.ts`, []);
  }
  const found = violations(Object.fromEntries(modules));
  const refused = (file: string, rule: string) =>
    (found.get(file) ?? []).filter((violation) => violation.rule.includes(rule)).map(({ to }) => to);

  test.each(rows)("$name: $layer imports nothing of a later layer", ({ name, layer, later }) => {
    expect(refused(moduleIn(name, layer), "of a later layer").sort()).toEqual([...later].sort());
  });

  test.each(packages)("%s imports only the packages that it may", (name, { imports }) => {
    const forbidden = others(name).filter((file) => !imports.includes(file.split("/")[0] ?? ""));
    expect(refused(importer(name), `${name}: imports`).sort()).toEqual(forbidden.sort());
  });

  test.each(packages)("%s has no module outside of its layers", (name) => {
    expect(refused(`${name}/unplaced/any.ts`, "stands in a layer")).not.toEqual([]);
  });
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

test("a run of tests whose teardown fails does not pass, and names the error", () => {
  const folder = mkdtempSync(join(tmpdir(), "linkup-teardown-"));
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  write("one.test.mjs", 'import { test } from "vitest";\ntest("passes", () => {});\n');
  write("setup.mjs", 'export default () => () => {\n  throw new Error("left behind");\n};\n');
  write(
    "vitest.config.mjs",
    'export default { test: { include: ["*.test.mjs"], globalSetup: "./setup.mjs" } };\n',
  );
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  const reporter = join(root, "scripts", "failures.mjs");
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const { status } = spawnSync(process.execPath, [vitest, "run", "--reporter", reporter], { cwd: folder });
  const failures = readFileSync(join(folder, "test-results", "failures.txt"), "utf8");
  rmSync(folder, { recursive: true });
  expect(status).toBe(1);
  expect(failures).toContain("left behind");
});
