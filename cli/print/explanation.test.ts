import { expect, test } from "vitest";
import { explanationLines } from "./explanation.ts";

const nothing = { candidates: [], session: null, decision: null };

test("a forwarded host is not explained with 422", () => {
  const text = explanationLines("https://pr-1.example.com/", { ...nothing, public_host: "pr-1.example.com" });
  expect(text).toMatch(/forwarded to its public origin\.\n→ https:\/\/pr-1\.example\.com\n$/);
  expect(text).not.toContain("422");
});

test.each([
  [
    { status: 422, code: "unknown-session" },
    "422: No session was found. Give the request the session's host name",
  ],
  [{ status: 421, code: "misdirected" }, "421: The host belongs to no running session's domains"],
  [{ status: 508, code: "loop" }, "508: Request loop detected"],
])("%j", (failure, said) =>
  expect(explanationLines("https://a.example/", { ...nothing, failure })).toContain(said),
);
