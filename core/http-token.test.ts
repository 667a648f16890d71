import { expect, test } from "vitest";
import { isToken } from "./http-token.ts";

test.each(["GET", "M-SEARCH", "x-a", "!#$%&'*+.^_`|~9"])("%s is a token", (text) => {
  expect(isToken(text)).toBe(true);
});

test.each(["", "bad method", "a:b", "GET\r\n", "é", "a/b", '"a"'])("%j is not a token", (text) => {
  expect(isToken(text)).toBe(false);
});
