import { expect, test } from "vitest";
import type { Domain } from "../session/session-document.ts";
import { loosenedReferrerPolicy } from "./referrer-policy.ts";

const domain = (name: string): Domain => ({ domain: name, default_service: "web", routes: [] });
const several = { domains: [domain("a.test"), domain("b.test")] };

test.each([
  ["no-referrer", "strict-origin-when-cross-origin"],
  ["same-origin", "strict-origin-when-cross-origin"],
  ["Same-Origin", "strict-origin-when-cross-origin"],
  ["origin, no-referrer, unknown", "strict-origin-when-cross-origin"],
  ["no-referrer, strict-origin", undefined],
  ["origin", undefined],
  ["unsafe-url", undefined],
  [null, undefined],
])("%s → %s", (policy, expected) => expect(loosenedReferrerPolicy(several, policy)).toBe(expected));

test("a session of one domain keeps its policy", () => {
  expect(loosenedReferrerPolicy({ domains: [domain("a.test")] }, "no-referrer")).toBeUndefined();
});
