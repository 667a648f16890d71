import { expect, test } from "vitest";
import { http2Response } from "./http2-fields.ts";

test("lines of one name are a list, and names that objects inherit are names like any other", () => {
  const headers = http2Response(200, [
    "Set-Cookie",
    "a=1",
    "set-cookie",
    "b=2",
    "constructor",
    "x",
    "__proto__",
    "y",
    "HTTP2-Settings",
    "z",
  ]);
  expect(Object.entries(headers)).toEqual([
    [":status", 200],
    ["set-cookie", ["a=1", "b=2"]],
    ["constructor", "x"],
    ["__proto__", "y"],
  ]);
});
