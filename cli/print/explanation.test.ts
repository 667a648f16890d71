import { expect, test } from "vitest";
import { explanationText } from "./explanation.ts";

const nothing = { candidates: [], session: null, decision: null };

test("a host that is passed on is not said to be answered with 422", () => {
  const text = explanationText("https://pr-1.example.com/", { ...nothing, public_host: "pr-1.example.com" });
  expect(text).toMatch(/passed on to where it really is\n→ https:\/\/pr-1\.example\.com\n$/);
  expect(text).not.toContain("422");
});

test.each([
  [{ status: 422, code: "unknown-session" }, "422: no session. Give the request the host name of one"],
  [{ status: 421, code: "misdirected" }, "421: the host belongs to no running session's domains"],
  [{ status: 508, code: "loop" }, "508: it goes round in circles"],
])("%j", (failure, said) =>
  expect(explanationText("https://a.example/", { ...nothing, failure })).toContain(said),
);
