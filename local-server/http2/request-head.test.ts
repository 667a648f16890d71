import { expect, test } from "vitest";
import { HeaderField } from "./header-field.ts";
import { RequestSection, TrailerSection } from "./request-head.ts";

const GET = [":method: GET", ":scheme: https", ":authority: example.com", ":path: /"];

function section<Section extends RequestSection | TrailerSection>(into: Section, lines: string[]): Section {
  for (const line of lines) {
    const colon = line.indexOf(": ");
    into.add(new HeaderField(line.slice(0, colon), line.slice(colon + 2)));
  }
  return into;
}
const request = (lines: string[]) => section(new RequestSection(), lines);

test("a request", () => {
  const { method, scheme, authority, path, lines, length, isMalformed } = request([
    ...GET,
    "cookie: a=1",
    "cookie: b=2",
    "content-length: 3",
    "te: trailers",
  ]);
  expect({ method, scheme, authority, path, length, isMalformed }).toEqual({
    method: "GET",
    scheme: "https",
    authority: "example.com",
    path: "/",
    length: 3,
    isMalformed: false,
  });
  expect(lines).toEqual(["cookie", "a=1", "cookie", "b=2", "content-length", "3", "te", "trailers"]);
});

test.each([
  ["a host in place of the authority", [":method: GET", ":scheme: http", ":path: /", "host: example.com:80"]],
  ["a path of UTF-8", [":method: GET", ":scheme: http", ":authority: a", ":path: /\xc3\xa4"]],
  ["OPTIONS *", [":method: OPTIONS", ":scheme: http", ":authority: a", ":path: *"]],
  ["CONNECT", [":method: CONNECT", ":authority: a:443"]],
  [
    "a WebSocket",
    [":method: CONNECT", ":protocol: websocket", ":scheme: https", ":authority: a", ":path: /"],
  ],
  ["an empty value", [...GET, "x: "]],
  ["equal lengths", [...GET, "content-length: 3", "content-length: 3"]],
])("valid: %s", (_what, lines) => {
  expect(request(lines).isMalformed).toBe(false);
});

const without = (name: string) => GET.filter((line) => !line.startsWith(name));
test.each([
  ["no method", without(":method")],
  ["no scheme", without(":scheme")],
  ["no path", without(":path")],
  ["neither authority nor host", without(":authority")],
  ["two methods", [...GET, ":method: GET"]],
  ["a pseudo-header behind a header", [...without(":path"), "x: y", ":path: /"]],
  ["an unknown pseudo-header", [...GET, ":x: y"]],
  ["a response's pseudo-header", [...GET, ":status: 200"]],
  ["a protocol without CONNECT", [...GET, ":protocol: websocket"]],
  ["CONNECT with a path", [...without(":method"), ":method: CONNECT"]],
  ["a method with a space", [...without(":method"), ":method: GET /x"]],
  ["an empty path", [...without(":path"), ":path: "]],
  ["a path without a slash", [...without(":path"), ":path: x"]],
  ["a space in the path", [...without(":path"), ":path: /x HTTP/1.1"]],
  ["a user in the authority", [...without(":authority"), ":authority: a@b"]],
  ["an invalid host", [...without(":authority"), "host: a b"]],
  ["two hosts", [...GET, "host: a", "host: a"]],
  ["a name in upper case", [...GET, "X: y"]],
  ["an empty name", [...GET, ": y"]],
  ["a space in a name", [...GET, "a b: y"]],
  ["a line break", [...GET, "x: a\r\nb"]],
  ["a zero byte", [...GET, "x: \0"]],
  ["a space before a value", [...GET, "x:  a"]],
  ["a tab behind a value", [...GET, "x: a\t"]],
  ["Connection", [...GET, "connection: close"]],
  ["Transfer-Encoding", [...GET, "transfer-encoding: chunked"]],
  ["Upgrade", [...GET, "upgrade: websocket"]],
  ["te", [...GET, "te: gzip"]],
  ["a length that is none", [...GET, "content-length: +3"]],
  ["two lengths", [...GET, "content-length: 3", "content-length: 4"]],
  ["a length beside none", [...GET, "content-length: x", "content-length: 4"]],
])("malformed: %s", (_what, lines) => {
  expect(request(lines).isMalformed).toBe(true);
});

test("lines beyond the limit are not kept", () => {
  const lines = Array.from({ length: 2_000 }, (_, i) => `x-${i}: ${"v".repeat(100)}`);
  const large = request([...GET, ...lines]);
  expect({ isTooLarge: large.isTooLarge, isMalformed: large.isMalformed }).toEqual({
    isTooLarge: true,
    isMalformed: false,
  });
  expect(large.lines.join("").length).toBeLessThan(131_072);
});

test("trailers", () => {
  const trailers = section(new TrailerSection(), ["grpc-status: 0"]);
  expect(trailers.lines).toEqual(["grpc-status", "0"]);
  expect(trailers.isMalformed).toBe(false);
  expect(section(new TrailerSection(), [":path: /"]).isMalformed).toBe(true);
  expect(section(new TrailerSection(), ["connection: x"]).isMalformed).toBe(true);
  expect(section(new TrailerSection(), [`x: ${"v".repeat(140_000)}`]).isMalformed).toBe(true);
});
