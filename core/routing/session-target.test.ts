import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Service } from "../session/session-document.ts";
import { followSession } from "./session-target.ts";

const at = (session?: string, name = "api"): Service => ({
  name,
  location: `https://${name}.example.net`,
  rewrites: [],
  ...(session === undefined ? {} : { session }),
});

function follow(sessions: Record<string, { services: Service[]; share_targets?: boolean }>, first = "b") {
  return followSession("a", at(first), (name) =>
    Object.hasOwn(sessions, name) ? { routing: sessions[name]! } : null,
  );
}

const shared = (...services: Service[]) => ({ services, share_targets: true });

describe("where a service of another session is", () => {
  test("there, also over several sessions", async () => {
    expect(await follow({ b: shared(at()) })).toMatchObject({ name: "b", service: at() });
    expect(await follow({ b: shared(at("c")), c: shared(at()) })).toMatchObject({ name: "c" });
  });

  test.each([
    ["session-gone", {}],
    ["session-gone", { b: shared(at("c")) }],
    ["session-not-shared", { b: { services: [at()] } }],
    ["session-not-shared", { b: shared(at("c")), c: { services: [at()], share_targets: false } }],
    ["service-missing", { b: shared(at(undefined, "web")) }],
    ["session-loop", { b: shared(at("a")) }],
    ["session-loop", { b: shared(at("b")) }],
    ["session-loop", { b: shared(at("c")), c: shared(at("b")) }],
  ])("%s: %j", async (fallback, sessions) => {
    expect(await follow(sessions)).toEqual({ fallback });
  });

  test("a long way is cut off", async () => {
    const chain = Array.from({ length: 20 }, (_, i) => [`s${i}`, shared(at(`s${i + 1}`))]);
    expect(await follow({ ...Object.fromEntries(chain), s20: shared(at()) }, "s0")).toEqual({
      fallback: "session-loop",
    });
  });
});

test("whatever sessions there are, it ends, and only where all of them allow it", async () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  const session = fc.record({
    services: fc.array(
      fc.option(name, { nil: undefined }).map((to) => at(to)),
      { maxLength: 2 },
    ),
    share_targets: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, session), name, async (sessions, first) => {
      const found = await follow(sessions, first);
      if ("fallback" in found) return;
      expect(found.service.session).toBeUndefined();
      expect(sessions[found.name]!.share_targets).toBe(true);
    }),
  );
});
