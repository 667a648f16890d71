import { expect, test } from "vitest";
import { type Actor, isOwner, PREVIEW_TOKEN } from "./owner.ts";

const made = { session: { session_token: "secret" }, maker: "ci" };
const named = (name: string): Actor => ({ role: "named", name });

test("the main token, the maker and the session token own a session", () => {
  expect(isOwner({ role: "main" }, null, made)).toBe(true);
  expect(isOwner(named("ci"), null, made)).toBe(true);
  expect(isOwner(named("other"), "secret", made)).toBe(true);
});

test("another named token does not, nor does the token that all previews share", () => {
  expect(isOwner(named("other"), null, made)).toBe(false);
  expect(isOwner(named("other"), "guess", made)).toBe(false);
  const preview = { session: { session_token: PREVIEW_TOKEN }, maker: null };
  expect(isOwner(named("other"), PREVIEW_TOKEN, preview)).toBe(false);
});
