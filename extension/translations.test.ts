// No text that a user reads lacks a translation, and no translation has lost its text.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (path: string): Record<string, string> => JSON.parse(readFileSync(join(root, path), "utf8"));
const sources = (folder: string) =>
  globSync(`${folder}/**/*.ts`, { cwd: root })
    .filter((path) => !path.endsWith(".test.ts"))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

/** The first arguments of `t`: literals, and whatever else stands there. */
function texts(): { literals: string[]; others: string[] } {
  const call = /\bt\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s)][^),]*)/g;
  const found = [...sources("extension"), ...sources("agent-tools")].flatMap(({ path, text }) =>
    [...text.matchAll(call)].map(([, argument]) => ({ path, argument: argument! })),
  );
  const isLiteral = ({ argument }: { argument: string }) => /^["']/.test(argument);
  const parsed = found.filter(isLiteral).map(({ argument }) => {
    const inner = argument.slice(1, -1).replaceAll("\\'", "'");
    return JSON.parse(argument.startsWith("'") ? JSON.stringify(inner) : argument) as string;
  });
  const others = found.filter((each) => !isLiteral(each)).map(({ path, argument }) => `${path}: ${argument}`);
  return { literals: parsed, others };
}

/** Titles of problems, and of what helps: the manager's, said by the extension. */
function titles(): string[] {
  const table = readFileSync(join(root, "manager", "model", "problem.ts"), "utf8");
  const codes = [...table.matchAll(/^ {2}"[a-z-]+": "([^"]+)",$/gm)].map(([, title]) => title!);
  const actions = sources("manager").flatMap(({ text }) =>
    [...text.matchAll(/command: "\w+",\s*title: "([^"]+)"/g)].map(([, title]) => title!),
  );
  expect(codes.length).toBeGreaterThan(10);
  return [...codes, ...actions];
}

const places = (text: string) => (text.match(/\{\d+\}|\$\(\w+\)|\(command:[^)]+\)|`[^`]+`/g) ?? []).sort();

test("what is not a literal is a title of the manager", () => {
  const { others } = texts();
  const titlesOnly = /(: (problem|action)\.title|: title|words\.ts: message: string)$/;
  expect(others.filter((other) => !titlesOnly.test(other))).toEqual([]);
});

for (const path of globSync("l10n/bundle.l10n.*.json", { cwd: root })) {
  test(`${path} has every text of the code, and no other`, () => {
    const bundle = read(path);
    const wanted = [...new Set([...texts().literals, ...titles()])].sort();
    expect(wanted.length).toBeGreaterThan(100);
    expect(Object.keys(bundle).sort()).toEqual(wanted);
    for (const [text, translated] of Object.entries(bundle))
      expect(places(translated), text).toEqual(places(text));
  });
}

for (const path of globSync("package.nls.*.json", { cwd: root })) {
  test(`${path} has every text of package.json, and no other`, () => {
    const [english, translated] = [read("package.nls.json"), read(path)];
    expect(Object.keys(translated).sort()).toEqual(Object.keys(english).sort());
    for (const [key, text] of Object.entries(english))
      expect(places(translated[key]!), key).toEqual(places(text));
  });
}

test("package.json names texts that exist, and all of them", () => {
  const manifest = readFileSync(join(root, "package.json"), "utf8");
  const named = [...manifest.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key!);
  expect([...new Set(named)].sort()).toEqual(Object.keys(read("package.nls.json")).sort());
});
