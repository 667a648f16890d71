import { expect, test } from "vitest";
import { clientCookie } from "./service-cookie.ts";

const HOST = "slim-gecko.example.com:8080";

test.each([
  ["https://api.internal.test", "a=1; Domain=api.internal.test; Path=/", "a=1; Path=/"],
  ["https://api.internal.test", "a=1; Path=/; domain = .Internal.Test ;Secure", "a=1; Path=/;Secure"],
  ["https://api.internal.test:8443", "a=1;DOMAIN=api.internal.test", "a=1"],
  ["http://localhost:4000", "a=1; Domain=localhost", "a=1"],
  ["http://localhost:4000", "a=1; Domain=localhost:4000", "a=1"],
  ["http://localhost:4000", "a=1; Domain=127.0.0.1", "a=1"],
  ["http://[::1]:4000", "a=1; Domain=localhost", "a=1"],
  ["http://10.1.2.3", "a=1; Domain=10.1.2.3", "a=1"],
  ["https://web.internal.test", "a=1; Domain=example.com; Domain=internal.test", "a=1"],
])("for %s no browser would take %s", (origin, cookie, expected) => {
  expect(clientCookie(cookie, origin, HOST)).toBe(expected);
});

test.each([
  // As browsers take it behind the session's host.
  ["https://api.example.com", "a=1; Domain=example.com"],
  ["https://api.example.com", "a=1; Domain=.EXAMPLE.com; Path=/"],
  ["https://api.internal.test", "a=1; Domain=internal.test; Domain=example.com"],
  ["https://api.internal.test", "a=1; Path=/"],
  ["https://api.internal.test", "a=1; Domain=; Path=/"],
  ["https://api.internal.test", "domain=internal.test"],
  // Somebody else's, or beside the service's host.
  ["https://api.internal.test", "a=1; Domain=elsewhere.test"],
  ["https://api.internal.test", "a=1; Domain=pi.internal.test"],
  ["https://api.internal.test", "a=1; Domain=deep.api.internal.test"],
  ["https://internal.test", "a=1; Domain=localhost"],
])("for %s %s stays", (origin, cookie) => {
  expect(clientCookie(cookie, origin, HOST)).toBe(cookie);
});

test("below localhost, which is like a public suffix", () => {
  const cookie = (domain: string) =>
    clientCookie(`a=1; Domain=${domain}`, "http://localhost:4000", "cat.shop.localhost");
  expect(cookie("localhost")).toBe("a=1");
  expect(cookie("shop.localhost")).toBe("a=1; Domain=shop.localhost");
  expect(clientCookie("a=1; Domain=localhost", "http://localhost:4000", "localhost:3000")).toBe(
    "a=1; Domain=localhost",
  );
});

test("the first of several forwarded hosts is the client's", () => {
  const cookie = "a=1; Domain=example.com";
  expect(clientCookie(cookie, "https://api.example.com", "cat.example.com, proxy.test")).toBe(cookie);
});
