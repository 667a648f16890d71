import { describe, expect, test } from "vitest";
import { CHOICES, KEYS, VALUES } from "../../../test/support/language/cases.ts";
import { cursor, expanded, shop } from "../../../test/support/language/testing.ts";
import { modelOf } from "../document/document-model.ts";
import { NO_FACTS } from "../document/editor-facts.ts";
import { applyEdits } from "../document/edits.ts";
import { completions } from "./completion.ts";

function labels(marked: string, facts = NO_FACTS): string[] {
  const { text, offset } = cursor(marked);
  return completions(modelOf(text), facts, offset).map(({ label }) => label);
}

/** The text after the choice with that label. */
function chosen(marked: string, label: string, facts = NO_FACTS): string {
  const { text, offset } = cursor(marked);
  const choice = completions(modelOf(text), facts, offset).find((completion) => completion.label === label);
  if (!choice) throw new Error(`There is no ${label} among ${labels(marked, facts).join(", ")}`);
  return applyEdits(text, [{ start: choice.start, end: choice.end, text: expanded(choice.snippet) }]);
}

describe("keys", () => {
  test.each(KEYS)("%s", (_, marked, expected) => {
    expect(labels(marked)).toEqual(expected);
  });

  test("merged ones are there", () => {
    const text =
      "services:\n  - &base\n    remote: https://a.example.com\n    name: a\n    local: http://localhost:1\n  - name: b\n    <<: *base\n    █\n";
    expect(labels(text)).toContain("health");
  });

  test("are documented", () => {
    const { text, offset } = cursor(shop("    rewrites:", "    █\n    rewrites:"));
    const [directory] = completions(modelOf(text), NO_FACTS, offset);
    expect(directory?.documentation).toContain("relative to this file");
  });
});

describe("values", () => {
  test.each(VALUES)("%s", (_, marked, expected) => {
    expect(labels(marked)).toEqual(expected);
  });

  test("ports on which something listens now, those of other services left out", () => {
    const facts = { ...NO_FACTS, listening: new Set([22, 3000, 5173, 8080, 41233]) };
    expect(labels(shop("local: http://localhost:4000", "local: █"), facts)).toEqual([
      "http://localhost:5173",
      "http://localhost:8080",
      "http://localhost:41233",
      "http://localhost:3000",
      "h2c://localhost:50051",
    ]);
  });
});

describe("what a choice makes of the text", () => {
  test.each(CHOICES)("%s", (_, marked, label, expected) => {
    expect(chosen(marked, label)).toBe(expected);
  });
});
