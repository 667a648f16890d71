import { describe, expect, test } from "vitest";
import { asciiDomain, refusedDomain, refusedDomainError, registrableDomain } from "./domain-name.ts";
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
    expect(parseSession(session("https://example.com"))).toEqual({
      ok: false,
      errors: [
        expect.stringMatching(/^domains\[0\]\.domain: must be a host name .*"https:\/\/example\.com"/),
      ],
    });
    expect(parseSession(session("x".repeat(100_000)))).toEqual({
      ok: false,
      errors: [expect.stringMatching(/^domains\[0\]\.domain: .* a text of 100000 characters$/)],
    });
  });

  test("in a session document are as requests name them", () => {
    const parsed = parseSession({
      session_token: "t",
      services: [{ name: "web", location: "http://localhost:3000" }],
      domains: [{ domain: "Bücher.Example.", default_service: "web" }],
      overrides: [{ name: "a", domain: "BÜCHER.example" }],
    });
    const domain = "xn--bcher-kva.example";
    expect(parsed).toMatchObject({ ok: true, value: { domains: [{ domain }], overrides: [{ domain }] } });
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

test.each([
  ["example.com", "example.com"],
  ["Shop.Example.COM.", "shop.example.com"],
  ["my_team.example.com", "my_team.example.com"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["LOCALHOST", "localhost"],
  ["127.0.0.1", "127.0.0.1"],
])("requests name %s as %s", (domain, expected) => {
  expect(asciiDomain(domain)).toBe(expected);
});

test.each([
  "",
  " example.com",
  "exam ple.com",
  "example.com:8080",
  "https://example.com",
  "example.com/path",
  "user@example.com",
  "*.example.com",
  "example..com",
  "example.com..",
  "-a.example.com",
  "a%62.example.com",
  "bücher.example/path",
  "[::1]",
  `${"a".repeat(64)}.example.com`,
  `${"a.".repeat(126)}com`,
  `${"ü".repeat(64)}.example`,
])("no request could name %j", (domain) => {
  expect(asciiDomain(domain)).toBeUndefined();
});
