import { expect, test } from "vitest";
import { decodedLength, decodeHuffman } from "./huffman.ts";

function decode(hex: string): string | undefined {
  const from = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const to = Buffer.alloc(decodedLength(from.length));
  const length = decodeHuffman(from, 0, from.length, to);
  return length === -1 ? undefined : to.toString("latin1", 0, length);
}

test("the examples of RFC 7541, Appendix C", () => {
  expect(decode("f1e3 c2e5 f23a 6ba0 ab90 f4ff")).toBe("www.example.com");
  expect(decode("a8eb 1064 9cbf")).toBe("no-cache");
  expect(decode("25a8 49e9 5ba9 7d7f")).toBe("custom-key");
  expect(decode("25a8 49e9 5bb8 e8b4 bf")).toBe("custom-value");
  expect(decode("d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff")).toBe(
    "Mon, 21 Oct 2013 20:13:21 GMT",
  );
  expect(
    decode(
      "94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ),
  ).toBe("foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1");
});

test("any octet", () => {
  // Octet 0 has 13 bits, 255 has 26, 249 has 28.
  expect(decode("ffc7")).toBe("\0");
  expect(decode("ffff fbbf")).toBe("\xff");
  expect(decode("ffff ffef")).toBe("\xf9");
});

test.each([
  ["padding of more than 7 bits", "f1e3 c2e5 f23a 6ba0 ab90 f4ff ff"],
  ["padding with a zero", "a8eb 1064 9cbe"],
  ["nothing but padding of 8 bits", "ff"],
  ["the end's own code", "ffff ffff"],
  ["the end's own code in the middle", "1fff ffff ff1f"],
])("refused: %s", (_what, hex) => {
  expect(decode(hex)).toBe(undefined);
});

test("nothing", () => {
  expect(decode("")).toBe("");
});
