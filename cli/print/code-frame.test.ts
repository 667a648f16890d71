import { expect, test } from "vitest";
import { configProblems } from "./code-frame.ts";
import { terminalText } from "./output.ts";

/** The code frame of a diagnostic at this column of the line. */
function frameOf(line: string, column: number, length: number): string[] {
  const at = (character: number) => ({ line: 0, column: character });
  const range = { start: at(column), end: at(column + length) };
  const problem = { code: "yaml-syntax" as const, severity: "error" as const, message: "is wrong", range };
  const text = configProblems({ path: "/linkup.yaml", text: line, problems: [problem as never] });
  return terminalText(text).split("\n");
}

test("a short line is shown as it is", () => {
  expect(frameOf("name: web", 6, 3)).toEqual([
    "/linkup.yaml:1:7 error is wrong",
    "  1 | name: web",
    "    |       ^^^",
    "",
  ]);
});

test("control characters of a line are replaced", () => {
  expect(frameOf("a: \x1b]0;title\x07\x9b", 3, 2)).toEqual([
    "/linkup.yaml:1:4 error is wrong",
    "  1 | a: \ufffd]0;title\ufffd\ufffd",
    "    |    ^^",
    "",
  ]);
});

test.each([
  ["at its start", 0, 1],
  ["in its middle", 5_000, 3],
  ["at its end", 9_999, 1],
  ["all of it", 0, 10_000],
])("of a long line 100 columns are shown, with the diagnostic %s", (_, column, length) => {
  const line = `${"x".repeat(column)}${"!".repeat(length)}`.padEnd(10_000, "x");
  const [, code, marks] = frameOf(line, column, length);
  expect(code!.length).toBeLessThanOrEqual(100);
  expect(marks!.length).toBeLessThanOrEqual(100);
  const marked = [...marks!].flatMap((character, at) => (character === "^" ? (code![at] ?? "") : []));
  expect(marked.length).toBeGreaterThan(0);
  expect(marked.join("")).toMatch(/^…?!+…?$/);
});
