import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDocument, stringify } from "yaml";
import { cpuTime } from "../../../test/support/cpu-time.ts";
import { splitSections } from "./sections.ts";
import { YamlTree } from "./yaml-tree.ts";

/** The pieces of a text, as their texts. */
function pieces(text: string): string[][] | undefined {
  return splitSections(text)?.map(({ head, items }) =>
    [head, ...items].map(({ start, end }) => text.slice(start, end)),
  );
}

describe("pieces", () => {
  test("sections and the items of their lists, comments and blank lines with what is before them", () => {
    expect(
      pieces("# a\nlinkup:\n  x: 1\n\nservices: # b\n  # c\n  - name: web\n    # d\n  - name: api\n# e\n"),
    ).toEqual([
      ["linkup:\n  x: 1\n\n"],
      ["services: # b\n  # c\n", "  - name: web\n    # d\n", "  - name: api\n# e\n"],
    ]);
  });

  test("lists without indent, other lists inside, Windows' line ends", () => {
    expect(pieces("---\r\na:\r\n- x: 1\r\n  y:\r\n  - z\r\n- b\r\nc: 1")).toEqual([
      ["a:\r\n", "- x: 1\r\n  y:\r\n  - z\r\n", "- b\r\n"],
      ["c: 1"],
    ]);
  });

  test("what is just being typed ends no list", () => {
    expect(pieces("a:\nx\n  - b\ny\n    c: 1\n  - d\n")).toEqual([
      ["a:\nx\n", "  - b\n", "y\n    c: 1\n", "  - d\n"],
    ]);
    const tree = new YamlTree("services:\n  - name: a\nty\n  - name: b\n");
    expect(tree.value()).toEqual({ services: [{ name: "a" }, { name: "b" }] });
    expect(tree.diagnostics).toMatchObject([{ start: 22, end: 24 }]);
  });

  test("block texts and brackets are no lists", () => {
    expect(pieces("a: |\n  - x\n  - y\nb: [\n  - z\n]\n")).toEqual([
      ["a: |\n  - x\n  - y\n"],
      ["b: [\n  - z\n]\n"],
    ]);
  });

  test.each(["{ a: 1 }", "- a", "text", "a: 1\n---\nb: 2", "%YAML 1.2\n---\na: 1", "? a\n: b", "", "# only"])(
    "%j is read as a whole",
    (text) => {
      expect(pieces(text)).toBeUndefined();
    },
  );
});

/** Every scalar with the text at its place. */
function placed(text: string): unknown[] {
  const found: unknown[] = [];
  const visit = (node: YamlTree["root"]): void => {
    if (node?.kind === "map") for (const { key, value } of node.pairs) [key, value].forEach(visit);
    else if (node?.kind === "seq") node.items.forEach(visit);
    else if (node) found.push(text.slice(node.start, node.end));
  };
  visit(new YamlTree(text).root);
  return found;
}

describe("the tree", () => {
  test("has every part at its place", () => {
    const text = `a: "x" # c\nb:\n  - &k key: 'y z'\n    l: [1, {m: n}]\n  - *k\n`;
    expect(placed(text)).toEqual(["a", '"x"', "b", "key", "'y z'", "l", "1", "m", "n", "*k"]);
  });

  test("resolves aliases across pieces, to the last anchor before them", () => {
    const tree = new YamlTree("a: &x 1\nlist:\n  - *x\n  - &x 2\n  - *x\nb: *x\n");
    expect(tree.value()).toEqual({ a: 1, list: [1, 2, 2], b: 2 });
    expect(new YamlTree("a: *x\nb: &x 1\nc: &y [*y]").diagnostics.map(({ message }) => message)).toEqual([
      "There is no anchor &x before this alias.",
      "There is no anchor &y before this alias.",
    ]);
  });

  test("a key may be an alias", () => {
    const tree = new YamlTree("x: &k name\nlist:\n  - *k : web\n    b: 1\n");
    expect(tree.diagnostics).toEqual([]);
    expect(tree.value()).toEqual({ x: "name", list: [{ name: "web", b: 1 }] });
    expect(tree.key(["list", 0, "name"])).toMatchObject({ start: 21, end: 23 });
    // The key follows its anchor, also when only that is edited.
    const after = new YamlTree("x: &k nome\nlist:\n  - *k : web\n    b: 1\n", tree);
    expect(after.value()).toEqual({ x: "nome", list: [{ nome: "web", b: 1 }] });
    const section = new YamlTree("x: &k name\nlist:\n  - a: 1\n*k : web\nb: 1\n");
    expect(section.diagnostics).toEqual([]);
    expect(section.value()).toEqual({ x: "name", list: [{ a: 1 }], name: "web", b: 1 });
    expect(new YamlTree("*k : 1\na: &k b").diagnostics).toMatchObject([
      { code: "unknown-anchor", start: 0, end: 2 },
    ]);
  });

  test("of several documents the first counts, and the rest is named", () => {
    const text = "a: 1\n---\nb: 2\n";
    const tree = new YamlTree(text);
    expect(tree.value()).toEqual({ a: 1 });
    expect(tree.diagnostics).toMatchObject([{ code: "yaml-syntax", start: text.indexOf("---") }]);
    expect(tree.diagnostics[0]!.message).toContain("must be a single YAML document");
  });

  test("merges maps: own keys first, then the earlier ones; the place is where it is written", () => {
    const text = "a: &a { x: 1, y: 2 }\nb: &b { x: 3, z: 4 }\nlist:\n  - <<: [*a, *b]\n    y: 5\n";
    const tree = new YamlTree(text);
    expect((tree.value() as { list: unknown[] }).list).toEqual([{ y: 5, x: 1, z: 4 }]);
    expect(tree.node(["list", 0, "z"])).toMatchObject({ value: 4, start: text.indexOf("4") });
    expect(tree.key(["list", 0, "z"])?.start).toBe(text.indexOf("z: 4"));
  });

  test("reads on after a quote that is never closed", () => {
    const tree = new YamlTree('list:\n  - a: "x # not closed\n    b: 1\n  - c: 2\n');
    expect(tree.value()).toEqual({ list: [{ a: "x", b: 1 }, { c: 2 }] });
    expect(tree.diagnostics).toMatchObject([{ code: "yaml-syntax", start: 13, end: 15, suggestion: '"x"' }]);
  });

  test("reads tabs as the spaces that make sense of them, each at its place", () => {
    const text = "list:\n    - a: 1\n\t  b: [x]\n    - c: y\n";
    const tree = new YamlTree(text);
    expect(tree.value()).toEqual({ list: [{ a: 1, b: ["x"] }, { c: "y" }] });
    expect(tree.node(["list", 0, "b", 0])).toMatchObject({ start: text.indexOf("x]") });
    expect(tree.diagnostics).toMatchObject([
      { code: "tab-indent", start: 17, end: 20, suggestion: "      " },
    ]);
  });

  test("2,000 lines indented by tabs cost little more than by spaces, at a width that is not the first one too", () => {
    const lines = (indent: string, wide: string) =>
      `list:\n${Array.from({ length: 500 }, (_, i) => `${indent}- a: ${i}\n${wide}b: x\n${wide}c: y\n${wide}d: z\n`).join("")}`;
    const milliseconds = (text: string) =>
      cpuTime(() => expect((new YamlTree(text).value() as { list: unknown[] }).list).toHaveLength(500));
    const spaces = milliseconds(lines("  ", "    "));
    expect(milliseconds(lines("\t", "\t\t"))).toBeLessThan(4 * spaces + 500);
    expect(milliseconds(lines("    ", "\t  "))).toBeLessThan(4 * spaces + 500);
  });

  test("refuses what aliases make too large", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(10)}]`);
    const tree = new YamlTree(lines.join("\n"));
    expect(tree.diagnostics.map(({ message }) => message)).toEqual(["The aliases make this file too large."]);
    expect(tree.value()).toBeUndefined();
  });

  test("a key that would change prototypes is a key", () => {
    const value = new YamlTree("__proto__: { x: 1 }").value() as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test("an edit leaves the objects of what it does not touch", () => {
    const before = new YamlTree("list:\n  - a: 1\n  - b: 2\n");
    const after = new YamlTree("list:\n  - a: 10\n  - b: 2\n", before);
    const items = (tree: YamlTree) => (tree.value() as { list: unknown[] }).list;
    expect(items(after)[1]).toBe(items(before)[1]);
    expect(items(after)[0]).not.toBe(items(before)[0]);
    expect(after.node(["list", 1, "b"])?.start).toBe(23);
    expect(before.node(["list", 1, "b"])?.start).toBe(22);
  });
});

test("piece by piece the same is read as at once, however it is written", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "- a",
      "a: b",
      "# c",
      "a #b",
      "x\ny",
      "\n- x\n",
      "  - y",
      "key:",
      "---",
      "&a",
      "*a",
      "'",
      '"',
      "|",
      "- - -",
      "http://a.b:1/c",
    ),
    fc
      .array(fc.constantFrom("word", "- dash", "colon:", "\n", "  "), { maxLength: 12 })
      .map((parts) => parts.join(" ")),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom("name", "a b", "x-y", "<", "z"), tie("value"), { maxKeys: 4 }),
    ),
  }));
  const file = fc.dictionary(fc.constantFrom("linkup", "services", "domains", "with space", "1"), value, {
    minKeys: 1,
  });
  const style = fc.record({
    indent: fc.constantFrom(2, 3, 4),
    indentSeq: fc.boolean(),
    lineWidth: fc.constantFrom(0, 20, 80),
    blockQuote: fc.constantFrom<(boolean | "folded" | "literal")[]>(true, false, "folded", "literal"),
    singleQuote: fc.boolean(),
    collectionStyle: fc.constantFrom<("any" | "block" | "flow")[]>("any", "block", "flow"),
  });
  fc.assert(
    fc.property(file, style, (content, options) => {
      const written = stringify(content, options);
      const whole = parseDocument(written);
      // Empty lists are not always written as they can be read.
      fc.pre(whole.errors.length === 0);
      const tree = new YamlTree(written);
      expect(tree.diagnostics).toEqual([]);
      expect(tree.value()).toEqual(whole.toJS());
    }),
    { numRuns: 1000 },
  );
});
