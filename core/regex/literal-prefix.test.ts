import { expect, test } from "vitest";
import { mayMatch } from "./literal-prefix.ts";

test.each([
  ["/api/", "/api/users", true],
  ["/api/", "/app/users", false],
  // It ends as the literal does where that ends, and begins otherwise.
  ["/api/", "/web/users", false],
  ["/api/", "/api", false],
  ["/", "", false],
  ["/\u{1f600}", "/\u{1f600}/a", true],
  ["/\u{1f600}", "/\u{1f601}/a", false],
])("the start %j in the text %j: %j", (text, searched, expected) => {
  const last = text.charCodeAt(text.length - 1);
  expect(mayMatch({ text, anchored: true, last }, searched)).toBe(expected);
});

test("anywhere, a literal that is not anchored", () => {
  const literal = { text: "/api/", anchored: false, last: 0x2f };
  expect(mayMatch(literal, "/v1/api/users")).toBe(true);
  expect(mayMatch(literal, "/v1/users/")).toBe(false);
});
