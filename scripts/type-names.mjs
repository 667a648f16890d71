// One name for one thing: fails when a type (interface, alias, class, enumeration) is exported under one name by two modules,
// of the product, of the tests, or of the scripts' declarations.
// Fails as well for a type taken by `import("…").T`, which the rules of the layers do not see.
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseFile } from "@swc/core";
import { names } from "../.dependency-cruiser.mjs";

const root = resolve(import.meta.dirname, "..");
const TYPES = new Set([
  "ClassDeclaration",
  "TsEnumDeclaration",
  "TsInterfaceDeclaration",
  "TsTypeAliasDeclaration",
]);

/** The stand-in for the `vscode` module has that module's own names (Position, Range, Command): code under test imports it as that. */
const STAND_IN = "test/support/vscode.ts";

const files = globSync([`{${[...names, "test"].join()}}/**/*.{ts,mts}`, "scripts/*.d.mts"], {
  cwd: root,
  exclude: ["**/node_modules/**"],
});

const inlineImports = [];
for (const file of files)
  if (/\bimport\("[^"]*"\)\.[A-Z]/.test(readFileSync(resolve(root, file), "utf8"))) inlineImports.push(file);
for (const file of inlineImports) console.error(`${file} takes a type by import("…"): import it above`);

/** Names of types, each with the modules that declare and export it. */
const found = new Map();
for (const file of files) {
  if (file === STAND_IN) continue;
  const { body } = await parseFile(resolve(root, file), { syntax: "typescript" });
  const declared = new Set();
  const exported = new Set();
  for (const { type, declaration, specifiers = [], source, ...statement } of body) {
    const own =
      type === "ExportDeclaration" ? declaration : statement.identifier ? { type, ...statement } : undefined;
    const name = (own?.identifier ?? own?.id)?.value;
    if (own && TYPES.has(own.type)) declared.add(name);
    if (type === "ExportDeclaration") exported.add(name);
    if (type === "ExportNamedDeclaration" && !source)
      for (const { orig, exported: as } of specifiers) exported.add((as ?? orig).value);
  }
  for (const name of declared) if (exported.has(name)) found.set(name, [...(found.get(name) ?? []), file]);
}
const doubled = [...found].filter(([, modules]) => modules.length > 1);
for (const [name, modules] of doubled) console.error(`${name} is exported by ${modules.join(" and ")}`);
process.exitCode = doubled.length + inlineImports.length > 0 ? 1 : 0;
