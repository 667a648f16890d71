import fc from "fast-check";
import { expect, test } from "vitest";
import { parseConfig } from "../../../core/config/parse-config.ts";
import { RUNNING, SHOP } from "../../../test/support/language/testing.ts";
import { type DocumentModel, modelOf, type Span } from "../document/document-model.ts";
import { applyEdits } from "../document/edits.ts";
import { completions } from "./completion.ts";
import { documentDiagnostics } from "./diagnostics.ts";
import { hover } from "./hover.ts";
import { lenses } from "./lenses.ts";
import { definition, references, rename, renameable } from "./navigation.ts";
import { fixes } from "./quick-fixes.ts";
import { testRoute } from "./route-test.ts";
import { folds, symbols } from "./structure.ts";

const FACTS = {
  ...RUNNING,
  sessionNames: ["api", "slim-gecko"],
  listening: new Set([3000, 5173]),
  tracked: true,
  missingFiles: new Set(["mocks/down.json"]),
};

/** Asks every feature at the offset; every place they name must lie in the text. */
function askAll(model: DocumentModel, offset: number): void {
  const { text } = model;
  const inText = ({ start, end }: Span) => {
    if (!(0 <= start && start <= end && end <= text.length))
      throw new Error(`${start}–${end} of ${text.length}`);
  };
  for (const finding of documentDiagnostics(model, FACTS)) {
    inText(finding);
    if (finding.related) inText(finding.related);
    for (const { edits } of fixes(model, finding, FACTS)) {
      edits.forEach(inText);
      applyEdits(text, edits);
    }
  }
  for (const completion of completions(model, FACTS, offset)) {
    inText(completion);
    expect(completion.start <= offset && offset <= completion.end).toBe(true);
  }
  const shown = hover(model, FACTS, offset);
  if (shown) inText(shown);
  definition(model, offset)?.to.forEach(inText);
  references(model, offset, true).forEach(inText);
  renameable(model, offset);
  const edits = rename(model, offset, "other: name");
  if (Array.isArray(edits)) edits.forEach(inText);
  const checkSymbol = (symbol: ReturnType<typeof symbols>[number]) => {
    inText(symbol);
    expect(symbol.name).not.toBe("");
    expect(symbol.start <= symbol.selection.start && symbol.selection.end <= symbol.end).toBe(true);
    symbol.children.forEach(checkSymbol);
  };
  symbols(model).forEach(checkSymbol);
  folds(model);
  lenses(model, FACTS).forEach(inText);
  testRoute(model, FACTS, "/api/x", offset).marks.forEach(inText);
}

const fragment = fc.constantFrom(
  "linkup:\n",
  "services:\n",
  "domains:\n",
  "  - ",
  "- ",
  "name: a",
  "name: web\n",
  "remote: https://a.b\n",
  "local: 3000",
  "\n",
  "\n  ",
  "\n    ",
  "\t",
  "{",
  "}",
  "[",
  "]",
  ", ",
  "*x",
  "&x ",
  "<<: *x",
  "<<: [*x, *y]",
  "|",
  ">\n",
  '"',
  "'",
  "? ",
  "!!int ",
  "---\n",
  "...",
  "%YAML 1.2\n",
  "routes: [",
  "routes:\n      - path: ",
  "service: ",
  "path: (",
  "(a+)+",
  "source: ^/(x",
  "target: $2",
  "#",
  " # c",
  "\r\n",
  "é",
  "\u{1F600}",
  "\uFEFF",
  "__proto__: 1",
  "constructor:",
  ":",
  ": ",
  "-",
  "null",
  "~",
);
const piece = fc.oneof(
  { weight: 4, arbitrary: fragment },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
);
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(piece, { maxLength: 40 }).map((parts) => parts.join("")),
  fc.constant(SHOP),
);
const anyEdit = fc.record({
  at: fc.nat(1000),
  remove: fc.nat(30),
  insert: fc.array(piece, { maxLength: 3 }),
});

test("no text and no sequence of edits makes a feature throw", () => {
  fc.assert(
    fc.property(anyText, fc.array(anyEdit, { maxLength: 6 }), fc.nat(1000), (start, edits, cursor) => {
      let text = start;
      let model = modelOf(text);
      askAll(model, cursor % (text.length + 1));
      for (const { at, remove, insert } of edits) {
        const offset = at % (text.length + 1);
        text = text.slice(0, offset) + insert.join("") + text.slice(offset + remove);
        model = modelOf(text, model);
        askAll(model, Math.min(offset + insert.join("").length, text.length));
      }
    }),
    { numRuns: 1200 },
  );
}, 120_000);

test("what is kept from before an edit changes no result", () => {
  fc.assert(
    fc.property(fc.array(anyEdit, { minLength: 1, maxLength: 5 }), (edits) => {
      let text = SHOP;
      let kept = parseConfig(text);
      for (const { at, remove, insert } of edits) {
        const offset = at % (text.length + 1);
        text = text.slice(0, offset) + insert.join("") + text.slice(offset + remove);
        kept = parseConfig(text, kept);
      }
      const fresh = parseConfig(text);
      expect(kept.diagnostics).toEqual(fresh.diagnostics);
      expect(kept.config).toEqual(fresh.config);
      expect(kept.positions.tree.root).toEqual(fresh.positions.tree.root);
    }),
    { numRuns: 400 },
  );
}, 120_000);

test("deep nesting and many aliases", () => {
  const bomb = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 12; i++)
    bomb.push(`b${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(", ")}]`);
  for (const text of [
    "[".repeat(20_000),
    "{a: ".repeat(5_000),
    "- ".repeat(3_000),
    `a: ${"(".repeat(20_000)}`,
    bomb.join("\n"),
    `services: *x\nx: &x [*x]`,
  ])
    askAll(modelOf(text), Math.min(10, text.length));
}, 60_000);
