import { describe, expect, test } from "vitest";
import { refusedDomain, refusedDomainError, registrableDomain } from "./domain-name.ts";
import { parseSession } from "./parse-session.ts";

describe("the domains of sessions", () => {
  test.each([
    ["com", "single-label"],
    ["intranet", "single-label"],
    ["", "single-label"],
    ["co.uk", "public-suffix"],
    ["CO.UK.", "public-suffix"],
    ["github.io", "public-suffix"],
    ["localhost", undefined],
    ["shop.localhost", undefined],
    ["example.com", undefined],
    ["api.example.co.uk", undefined],
    ["shop.test", undefined],
    ["team.github.io", undefined],
  ])("%j is refused as %j", (domain, expected) => {
    expect(refusedDomain(domain)).toBe(expected);
    expect(refusedDomainError(domain) === undefined).toBe(expected === undefined);
  });

  test("a session document with such a domain is refused", () => {
    const session = (domain: string) => ({
      session_token: "t",
      services: [{ name: "web", location: "http://localhost:3000" }],
      domains: [{ domain, default_service: "web" }],
    });
    expect(parseSession(session("example.com")).ok).toBe(true);
    expect(parseSession(session("localhost")).ok).toBe(true);
    expect(parseSession(session("co.uk"))).toEqual({
      ok: false,
      errors: [expect.stringMatching(/^domains\[0\]\.domain: .*"co\.uk" is a public suffix/)],
    });
    expect(parseSession(session("com")).ok).toBe(false);
  });
});

test.each([
  ["slim-gecko.example.com:8443", "example.com"],
  ["a.b.example.co.uk", "example.co.uk"],
  ["slim-gecko.shop.localhost", "shop.localhost"],
  ["co.uk", undefined],
  ["localhost", undefined],
  ["127.0.0.1", undefined],
])("the registrable domain of %s is %j", (host, expected) => {
  expect(registrableDomain(host)).toBe(expected);
});
