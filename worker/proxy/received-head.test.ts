import { expect, test } from "vitest";
import { headOf } from "./received-head.ts";

test("host, scheme and target are the URL's own, whatever the one before had", () => {
  const urls = [
    ["http", "a.example.com", "/"],
    ["http", "a.example.com", "/x?y=/z"],
    ["https", "a.example.com", "/x"],
    ["http", "a.example.com:80", "/x"],
    ["http", "a.example.com.evil.example", "/x"],
    ["http", "a.example.co", "/x"],
    ["http", "a.example.com", "//b.example.com/x"],
  ] as const;
  for (const [scheme, host, target] of [...urls, ...urls.toReversed()])
    expect(headOf(received(`${scheme}://${host}${target}`))).toMatchObject({ scheme, host, target });
});

test("a URL without a path has no head, also after a URL with one", () => {
  expect(headOf(received("http://a.example.com/"))).toBeDefined();
  expect(headOf(received("http://a.example.com"))).toBeUndefined();
});

/** Its URL as workerd passes it, which no constructor would leave as it is. */
function received(url: string): Request {
  return { url, method: "GET", headers: new Headers() } as Request;
}
