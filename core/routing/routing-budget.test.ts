import { describe, expect, test } from "vitest";
import { cpuTime } from "../../test/support/cpu-time.ts";
import { MAX_STEPS, StepBudget } from "../regex/pattern.ts";
import { parseSession } from "../session/parse-session.ts";
import type { Session } from "../session/session-document.ts";
import { MAX_PATTERNS } from "../session/session-limits.ts";
import { MAX_PATH, route } from "./route-request.ts";
import { headOfUrl } from "./routing-input.ts";

function sessionWith(paths: string[]): Session {
  const parsed = parseSession({
    session_token: "t",
    services: [{ name: "web", location: "http://localhost:3000" }],
    domains: [
      {
        domain: "example.com",
        default_service: "web",
        routes: paths.map((path) => ({ path, service: "web" })),
      },
    ],
  });
  if (!parsed.ok) throw new Error(parsed.errors.join("\n"));
  return parsed.value;
}

const many = (pattern: (i: number) => string) => Array.from({ length: MAX_PATTERNS }, (_, i) => pattern(i));

describe("one budget for all patterns of a request", () => {
  const long = headOfUrl(`http://slim-gecko.example.com/${"ab".repeat(7_000)}`);

  test.each([
    ["that run in the native engine", (i: number) => `a.*b.*c${i}`],
    ["that need Linkup's own", (i: number) => `(?:a*b*)*c${i}`],
    ["with back-references", (i: number) => `(a|b)*\\1x${i}`],
    ["with a literal", (i: number) => `zzz${i}`],
  ])("%s: 2,000 patterns and a long path take no longer than a few of them", (_, pattern) => {
    const session = sessionWith(many(pattern));
    // Compiling is not measured: it happens once for a session.
    route("slim-gecko", session, headOfUrl("http://slim-gecko.example.com/"));
    const budget = new StepBudget();
    let decision: ReturnType<typeof route> | undefined;
    const took = cpuTime(() => {
      decision = route("slim-gecko", session, long, budget);
    });
    expect(took).toBeLessThan(1_500);
    expect(decision).toMatchObject({ outcome: "routed", reason: { by: "default" } });
    // A search may pass the end of the budget by one text at most.
    expect(budget.steps).toBeGreaterThanOrEqual(-2 * MAX_PATH);
    expect(budget.nativeSteps).toBeGreaterThanOrEqual(0);
  });

  test("patterns after the end of the budget count as not matching, and are named", () => {
    const session = sessionWith([...Array.from({ length: 40 }, (_, i) => `(a|b)*\\1x${i}`), "(?:a*b*)+$"]);
    const decision = route("slim-gecko", session, long);
    expect(decision.outcome === "routed" && decision.gaveUp).toContain("(?:a*b*)+$");
    // Another request has a budget of its own.
    expect(route("slim-gecko", session, headOfUrl("http://slim-gecko.example.com/ab"))).toMatchObject({
      reason: { by: "route", index: 40 },
      gaveUp: [],
    });
  });

  test("a usual configuration uses little of it", () => {
    const session = sessionWith(Array.from({ length: 500 }, (_, i) => `^/api/v\\d+/service-${i}/.*`));
    const budget = new StepBudget();
    const head = headOfUrl("http://slim-gecko.example.com/api/v2/service-499/a/b/c");
    expect(route("slim-gecko", session, head, budget)).toMatchObject({ reason: { index: 499 }, gaveUp: [] });
    expect(budget.nativeSteps).toBeGreaterThan(MAX_STEPS * 0.7);
    expect(budget.steps).toBeGreaterThan(MAX_STEPS * 0.9);
  });
});

describe("limits of a session document", () => {
  test("more patterns, more text, or a longer replacement are refused", () => {
    expect(() => sessionWith([...many((i) => `a${i}`), "one more"])).toThrow("has 2001 regular expressions");
    expect(() => sessionWith(Array.from({ length: 101 }, () => "a".repeat(2_000)))).toThrow(
      "have 202000 characters in total",
    );
    const parsed = parseSession({
      session_token: "t",
      services: [
        {
          name: "web",
          location: "http://localhost:3000",
          rewrites: [{ source: "a", target: "$x".repeat(1_001) }],
        },
      ],
      domains: [{ domain: "example.com", default_service: "web" }],
    });
    expect(parsed).toMatchObject({ ok: false, errors: [expect.stringContaining("at most 2000 characters")] });
  });
});
