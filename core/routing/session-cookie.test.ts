import { describe, expect, test } from "vitest";
import { sessionCandidates } from "./identify-session.ts";
import { headOfUrl } from "./routing-input.ts";
import { isPageVisit, sessionCookie, sessionOfCookie, withoutLinkupCookies } from "./session-cookie.ts";

const visit = {
  name: "slim-gecko",
  host: "slim-gecko.app.example.com:8787",
  domain: "example.com",
  scheme: "https" as const,
  cookie: null,
};

describe("the session cookie", () => {
  test("is set for the registrable domain", () => {
    expect(sessionCookie(visit)).toBe(
      "linkup-session=slim-gecko; Domain=example.com; Path=/; SameSite=Lax; HttpOnly; Secure",
    );
    expect(sessionCookie({ ...visit, scheme: "http" })).not.toContain("Secure");
  });

  test("is not set twice, and not where a browser would refuse it", () => {
    expect(sessionCookie({ ...visit, cookie: "a=1; linkup-session=slim-gecko" })).toBeUndefined();
    expect(sessionCookie({ ...visit, cookie: "linkup-session=other" })).toBeDefined();
    expect(sessionCookie({ ...visit, domain: undefined })).toBeUndefined();
    expect(sessionCookie({ ...visit, domain: "localhost" })).toBeUndefined();
    expect(sessionCookie({ ...visit, domain: "example.org" })).toBeUndefined();
  });

  test("is read, and removed from what services see", () => {
    expect(sessionOfCookie("a=1; linkup-session=slim-gecko; b=2")).toBe("slim-gecko");
    expect(sessionOfCookie("x-linkup-session=slim-gecko")).toBeUndefined();
    expect(sessionOfCookie("linkup-session=No Name")).toBeUndefined();
    expect(withoutLinkupCookies("a=1; linkup-session=slim-gecko; b=2")).toBe("a=1; b=2");
    expect(withoutLinkupCookies("linkup-session=slim-gecko")).toBeNull();
    expect(withoutLinkupCookies("a=linkup-session")).toBe("a=linkup-session");
    expect(
      withoutLinkupCookies("__Host-linkup-access-slim-gecko=a.b.c; x=1; __Secure-linkup-access-other=d"),
    ).toBe("x=1");
    expect(withoutLinkupCookies("linkup-access-slim-gecko=a.b.c")).toBeNull();
  });

  test("is the last source of a session", () => {
    const head = headOfUrl("https://one.example.com/", {
      cookie: "linkup-session=five",
      tracestate: "linkup-session=four",
      origin: "https://three.example.com",
      referer: "https://two.example.com/",
    });
    expect(sessionCandidates(head).map(({ name, source }) => `${name} ${source}`)).toEqual([
      "one host",
      "two referer",
      "three origin",
      "four tracestate",
      "five cookie",
    ]);
  });
});

test.each([
  ["GET", { "sec-fetch-dest": "document" }, true],
  ["GET", { "sec-fetch-dest": "image", accept: "text/html" }, false],
  ["GET", { accept: "text/html,*/*" }, true],
  ["GET", { accept: "image/png" }, false],
  ["POST", { "sec-fetch-dest": "document" }, false],
])("%s with %j is a page visit: %s", (method, headers, expected) =>
  expect(isPageVisit(method, (name) => (headers as Record<string, string>)[name])).toBe(expected),
);
