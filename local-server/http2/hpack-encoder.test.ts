import fc from "fast-check";
import { expect, test } from "vitest";
import { HpackDecoder } from "./hpack-decoder.ts";
import { encodeHead, encodeLines, HeadEncoder } from "./hpack-encoder.ts";

function decode(block: Buffer): string[] {
  const lines: string[] = [];
  new HpackDecoder().decode(block, { add: ({ name, value }) => lines.push(name, value) });
  return lines;
}

test("a response's head", () => {
  expect(
    decode(encodeHead(200, ["Content-Type", "text/plain", "Set-Cookie", "a=1", "set-cookie", "b=2"])),
  ).toEqual([":status", "200", "content-type", "text/plain", "set-cookie", "a=1", "set-cookie", "b=2"]);
  expect(decode(encodeHead(200, ["X", " a b\t", "Y", " "]))).toEqual([":status", "200", "x", "a b", "y", ""]);
  expect(decode(encodeHead(418, []))).toEqual([":status", "418"]);
  expect(encodeHead(404, []).toString("hex")).toBe("8d");
});

test("what belongs to a connection of HTTP/1.1 is left out", () => {
  const lines = [
    "Connection",
    "x",
    "TE",
    "trailers",
    "HTTP2-Settings",
    "AAMAAABk",
    "Transfer-Encoding",
    "x",
    "X",
    "1",
  ];
  expect(decode(encodeHead(204, lines))).toEqual([":status", "204", "x", "1"]);
  expect(encodeLines(["Keep-Alive", "1"])).toHaveLength(0);
  expect(encodeLines([])).toHaveLength(0);
});

test.each([
  ["a line break in a value", ["X", "a\r\nb"]],
  ["a character beyond a byte", ["X", "\u010a"]],
  ["a zero byte", ["X", "\0"]],
  ["a name with a space", ["a b", "x"]],
  ["a pseudo-header", [":status", "200"]],
  ["no name", ["", "x"]],
])("refused: %s", (_what, lines) => {
  expect(() => encodeHead(200, lines)).toThrow("HTTP/2 cannot carry");
});

test("equal heads are encoded once, and others are not taken for them", () => {
  const encoder = new HeadEncoder();
  const first = encoder.encode(200, ["ETag", "1"]);
  expect(encoder.encode(200, ["ETag", "1"])).toBe(first);
  expect(decode(encoder.encode(200, ["ETag", "2"]))).toEqual([":status", "200", "etag", "2"]);
  expect(decode(encoder.encode(206, ["ETag", "2"]))).toEqual([":status", "206", "etag", "2"]);
  expect(decode(encoder.encode(206, []))).toEqual([":status", "206"]);
});

test("any lines arrive", () => {
  const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9a-z-]{1,300}$/);
  const value = fc.oneof(
    fc.stringMatching(/^(?:[!-~\x80-\xff][\t\x20-\x7e\x80-\xff]{0,40}[!-~\x80-\xff])?$/),
    fc.constantFrom(126, 127, 128, 254, 255, 16_510, 131_072).map((length) => "v".repeat(length)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 10 }), (pairs) => {
      const lines = pairs.filter(([name]) => !/^(?:connection|te|upgrade|keep-alive)$/.test(name)).flat();
      expect(decode(encodeLines(lines))).toEqual(lines);
    }),
    { seed: 7541, numRuns: 300 },
  );
});
