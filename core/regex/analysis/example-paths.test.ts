import { expect, test } from "vitest";
import { examplePaths } from "./example-paths.ts";

test.each([
  ["^/api/.*", ["/api/users", "/api/", "/api/users/42"]],
  ["^/users/\\d+$", ["/users/42", "/users/7"]],
  ["^/(auth|login)$", ["/auth", "/login"]],
  ["\\.(css|js)$", ["/.css", "/.js"]],
  ["/v[12]/", ["/v1/", "/v2/"]],
  ["", ["/"]],
  ["^/$", ["/"]],
  ["^nothing", []],
  ["(", []],
])("%s is found in %j", (pattern, expected) => {
  expect(examplePaths(pattern)).toEqual(expected);
});
