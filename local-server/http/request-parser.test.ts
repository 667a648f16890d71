import { expect, test } from "vitest";
import { parseTrailers, RequestHeadParser } from "./request-parser.ts";

const head = (cookie: string, trace?: string) =>
  `GET / HTTP/1.1\r\nHost: a.example\r\nCookie: ${cookie}${trace ? `\r\ntraceparent: ${trace}` : ""}`;

test("the parts of a head", () => {
  const { fields, ...line } = new RequestHeadParser().parse(
    "PURGE http://a/b?c HTTP/1.0\r\nX-A:  1 \r\nx-b:",
  );
  expect(line).toEqual({ method: "PURGE", target: "http://a/b?c", protocol: "HTTP/1.0" });
  expect(fields.raw).toEqual(["X-A", "1", "x-b", ""]);
  expect(new RequestHeadParser().parse("GET / HTTP/1.1").fields.raw).toEqual([]);
});

test("lines that came before are the same object, and share what is derived with those of another trace only", () => {
  const parser = new RequestHeadParser();
  const parse = (text: string) => parser.parse(text).fields;
  const first = parse(head("a=1", "00-1"));
  expect(parse(head("a=1", "00-1"))).toBe(first);
  expect(parse(head("a=1", "00-2")).derived).toBe(first.derived);
  const other = parse(head("a=2", "00-2"));
  expect(other.get("cookie")).toBe("a=2");
  expect(other.derived).not.toBe(first.derived);
});

test.each([
  ["GET / HTTP/2.0", "request line"],
  ["GET  / HTTP/1.1", "request line"],
  ["GET / HTTP/1.1 ", "request line"],
  ["G@T / HTTP/1.1", "request line"],
  ["GET / HTTP/1.1\nHost: a", "request line"],
  ["GET / HTTP/1.1\r\nA: b\r\n c", "folded"],
  ["GET / HTTP/1.1\r\nA: \x01", "control character"],
  ["GET / HTTP/1.1\r\nA: b\nC: d", "header line"],
  ["GET / HTTP/1.1\r\nA : b", "header line"],
])("%j is refused", (text, why) => {
  expect(() => new RequestHeadParser().parse(text)).toThrow(why);
});

test("trailers cannot say where a request goes or how long it is", () => {
  expect(parseTrailers("A: 1\r\nB: 2")).toEqual(["A", "1", "B", "2"]);
  for (const name of ["Host", "content-length", "Transfer-Encoding", "Connection"])
    expect(() => parseTrailers(`A: 1\r\n${name}: 1`)).toThrow("must be a header");
});
