import { expect, test } from "vitest";
import { DIAGNOSTICS } from "../../../test/support/language/cases.ts";
import { cursor, RUNNING, SHOP, shop } from "../../../test/support/language/testing.ts";
import { modelOf } from "../document/document-model.ts";
import { NO_FACTS } from "../document/editor-facts.ts";
import { CODES, documentDiagnostics } from "./diagnostics.ts";

/** The codes of all that was found in this file's tests. */
const met = new Set<string>();

/** `severity code "what is underlined"`, with `< "the related place"`. */
function found(text: string, facts = NO_FACTS): string[] {
  return documentDiagnostics(modelOf(text), facts).map(({ severity, code, start, end, related }) => {
    met.add(code);
    const place = (at: { start: number; end: number }) => JSON.stringify(text.slice(at.start, at.end));
    return `${severity} ${code} ${place({ start, end })}${related ? ` < ${place(related)}` : ""}`;
  });
}

test("a good file", () => {
  expect(found(SHOP)).toEqual([]);
});

test.each(DIAGNOSTICS)("%s", (_, from, to, expected) => {
  expect(found(shop(from, to))).toEqual(expected);
});

test("what is broken in one service leaves the rest checked", () => {
  const text = shop("remote: https://web.example.com", "remote: {{").replace("service: api", "service: apo");
  expect(found(text).filter((line) => !line.includes("yaml-syntax"))).toContain(
    'error unknown-service "apo"',
  );
});

test("what only this machine knows", () => {
  const withToken = shop(
    "https://linkup.example.com\n",
    "https://linkup.example.com\n  worker_token: secret\n",
  );
  expect(found(withToken, { ...NO_FACTS, tracked: true })).toEqual(['warning token-in-file "secret"']);
  expect(found(withToken, NO_FACTS)).toEqual([]);
  expect(found(withToken.replace("secret", "${env:LINKUP_TOKEN}"), { ...NO_FACTS, tracked: true })).toEqual(
    [],
  );
  expect(found(SHOP, { ...NO_FACTS, listening: new Set([3000, 22]) })).toEqual([
    'hint nothing-listens "http://localhost:4000"',
  ]);
  const responds = shop(
    "domains:\n",
    "overrides:\n  - { name: down, respond: { file: mocks/down.json } }\ndomains:\n",
  );
  expect(found(responds, { ...NO_FACTS, missingFiles: new Set(["mocks/down.json"]) })).toEqual([
    'warning missing-file "mocks/down.json"',
  ]);
  expect(found(responds)).toEqual([]);
  const named = shop("example.org", "api.example.com");
  expect(found(named, { ...RUNNING, sessionNames: ["api"] })).toEqual([
    'warning session-domain "api.example.com" < "example.com"',
  ]);
});

test("the cursor of tests", () => {
  expect(cursor("a█b")).toEqual({ text: "ab", offset: 1 });
});

// The last test: a new code needs a line in the tables, or a test above.
test("every code was met", () => {
  expect(CODES.filter((code) => !met.has(code))).toEqual([]);
});
