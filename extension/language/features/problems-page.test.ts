import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CODES, PROBLEMS_PAGE } from "./diagnostics.ts";

test("every code is explained under its name, and nothing else is", () => {
  const page = readFileSync(join(import.meta.dirname, "..", "..", "..", PROBLEMS_PAGE), "utf8");
  const headings = [...page.matchAll(/^### (.*)$/gm)].map(([, code]) => code);
  expect(headings.toSorted()).toEqual([...CODES].sort());
});
