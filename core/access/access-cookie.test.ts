import { describe, expect, test } from "vitest";
import {
  accessCookieHeader,
  accessCookieMac,
  accessCookies,
  cookieScopes,
  parseAccessCookie,
} from "./access-cookie.ts";
import { hourOf, proofId, traceProof } from "./trace-proof.ts";

const KEY = "0123456789abcdef".repeat(4);
const MAC = "0123456789abcdef".repeat(2);
const VALUE = `ada.lq1.${MAC}`;

describe("the values in a Cookie header", () => {
  test.each([
    ["alone", `linkup-access-slim-gecko=${VALUE}`, [VALUE]],
    ["among others", `a=b; linkup-access-slim-gecko=${VALUE}; c=d`, [VALUE]],
    ["of one host", `__Host-linkup-access-slim-gecko=${VALUE}`, [VALUE]],
    [
      "of two scopes",
      `__Secure-linkup-access-slim-gecko=1; __Host-linkup-access-slim-gecko=${VALUE}`,
      ["1", VALUE],
    ],
    ["of another session", `linkup-access-bold-cat=${VALUE}`, []],
    ["of a session whose name ends alike", `linkup-access-very-slim-gecko=${VALUE}`, []],
    ["in another cookie's name", `x-linkup-access-slim-gecko=${VALUE}`, []],
    ["more than are tried", "linkup-access-slim-gecko=1; ".repeat(9), ["1", "1", "1", "1"]],
  ])("%s", (_, cookie, expected) => expect(accessCookies("slim-gecko", cookie)).toEqual(expected));

  test.each([null, undefined, ""])("none in %j", (cookie) =>
    expect(accessCookies("slim-gecko", cookie)).toEqual([]),
  );
});

test("a value is read as it was made", () => {
  const header = accessCookieHeader(
    "slim-gecko",
    { id: "ada", expires: 1_000_000, mac: MAC },
    { domain: undefined },
    "https",
    400_000,
  );
  const [pair, ...attributes] = header.split("; ");
  expect(pair).toBe(`__Host-linkup-access-slim-gecko=ada.${(1_000_000).toString(36)}.${MAC}`);
  expect(attributes).toEqual(["Path=/", "Max-Age=600", "HttpOnly", "SameSite=Lax", "Secure"]);
  const [value] = accessCookies("slim-gecko", pair);
  expect(parseAccessCookie(value!)).toEqual({ id: "ada", expires: 1_000_000, mac: MAC });
});

test.each([
  ["https", "example.com", /^__Secure-.*; Domain=example\.com; .*; Secure$/],
  ["http", "example.com", /^linkup-access-.*; Domain=example\.com; (?!.*Secure)/],
  ["http", undefined, /^linkup-access-(?!.*(Domain|Secure))/],
] as const)("over %s for %s", (scheme, domain, expected) => {
  const cookie = { id: "ada", expires: 2_000, mac: MAC };
  expect(accessCookieHeader("slim-gecko", cookie, { domain }, scheme, 1_000)).toMatch(expected);
});

test("one that has ended is removed by the browser at once", () => {
  const cookie = { id: "ada", expires: 1_000, mac: MAC };
  const header = accessCookieHeader("slim-gecko", cookie, { domain: undefined }, "https", 9_000);
  expect(header).toContain("; Max-Age=0;");
});

test.each([
  "",
  "ada",
  `ada.lq1.${MAC}0`,
  `ada.lq1.${MAC.toUpperCase()}`,
  `ada.-1.${MAC}`,
  `ada..${MAC}`,
  `.lq1.${MAC}`,
  `${"a".repeat(33)}.lq1.${MAC}`,
  `ada.lq1.${MAC}.x`,
])("%j is refused", (value) => expect(parseAccessCookie(value)).toBeUndefined());

test("the MAC depends on the key, the session, the invite and its end", async () => {
  const cookie = { id: "ada", expires: 1 };
  const macs = await Promise.all([
    accessCookieMac(KEY, "slim-gecko", cookie),
    accessCookieMac(KEY.replace("0", "1"), "slim-gecko", cookie),
    accessCookieMac(KEY, "bold-cat", cookie),
    accessCookieMac(KEY, "slim-gecko", { ...cookie, id: "eve" }),
    accessCookieMac(KEY, "slim-gecko", { ...cookie, expires: 2 }),
    // The same characters in other places.
    accessCookieMac(KEY, "slim-gecko\nada", { id: "1", expires: 1 }),
  ]);
  expect(new Set(macs).size).toBe(macs.length);
  for (const mac of macs) expect(mac).toMatch(/^[0-9a-f]{32}$/);
});

test("a proof for calls between services is another one, of its hour", async () => {
  const hour = hourOf(Date.UTC(2026, 0, 1, 10, 59, 59));
  expect(hourOf(Date.UTC(2026, 0, 1, 11))).toBe(hour + 1);
  const proof = await traceProof(KEY, "slim-gecko", "ada", hour);
  expect(proofId(proof)).toBe("ada");
  expect(proof).not.toBe(await traceProof(KEY, "slim-gecko", "ada", hour + 1));
  const mac = await accessCookieMac(KEY, "slim-gecko", { id: "ada", expires: hour });
  expect(proof).not.toContain(mac);
});

describe("scopes", () => {
  const scopes = (domains: string[], session_cookie?: boolean) =>
    cookieScopes("slim-gecko", {
      domains: domains.map((domain) => ({ domain, default_service: "web", routes: [] })),
      ...(session_cookie === undefined ? {} : { session_cookie }),
    } as Parameters<typeof cookieScopes>[1]).map(({ host, domain }) => `${host} ${domain}`);

  test.each<[string, string[], boolean | undefined, string[]]>([
    ["one domain", ["example.com"], undefined, ["slim-gecko.example.com example.com"]],
    ["one host is enough", ["example.com"], false, ["slim-gecko.example.com undefined"]],
    [
      "a domain below another is covered",
      ["example.com", "api.example.com"],
      undefined,
      ["slim-gecko.example.com example.com"],
    ],
    [
      "sites apart",
      ["example.com", "example.org"],
      undefined,
      ["slim-gecko.example.com example.com", "slim-gecko.example.org example.org"],
    ],
    ["a whole public suffix", ["localhost"], undefined, ["slim-gecko.localhost undefined"]],
  ])("%s", (_, domains, sessionCookie, expected) => expect(scopes(domains, sessionCookie)).toEqual(expected));
});
