import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { collectGarbage } from "../../node/v8.ts";
import { ConnectionError } from "./errors.ts";
import { ErrorCode } from "./frames.ts";
import type { HeaderField } from "./header-field.ts";
import { HpackDecoder } from "./hpack-decoder.ts";

/** Decodes blocks one after the other; each as `name: value`. */
function decode(decoder: HpackDecoder, hex: string): string[] {
  const fields: string[] = [];
  const block = Buffer.from(hex.replaceAll(/\s/g, ""), "hex");
  decoder.decode(block, { add: ({ name, value }) => fields.push(`${name}: ${value}`) });
  return fields;
}

const REQUESTS = [
  [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
  [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
  [
    ":method: GET",
    ":scheme: https",
    ":path: /index.html",
    ":authority: www.example.com",
    "custom-key: custom-value",
  ],
];
const RESPONSES = [
  [
    ":status: 302",
    "cache-control: private",
    "date: Mon, 21 Oct 2013 20:13:21 GMT",
    "location: https://www.example.com",
  ],
  [
    ":status: 307",
    "cache-control: private",
    "date: Mon, 21 Oct 2013 20:13:21 GMT",
    "location: https://www.example.com",
  ],
  [
    ":status: 200",
    "cache-control: private",
    "date: Mon, 21 Oct 2013 20:13:22 GMT",
    "location: https://www.example.com",
    "content-encoding: gzip",
    "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
  ],
];
/** The responses' examples have a table of 256 bytes, which the first block says here. */
const TABLE_OF_256 = "3fe101";

describe("the examples of RFC 7541, Appendix C", () => {
  test("C.2.1, a literal that is indexed", () => {
    expect(
      decode(new HpackDecoder(), "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"),
    ).toEqual(["custom-key: custom-header"]);
  });

  test("C.2.2 to C.2.4: literals that are not, and one that is in the table", () => {
    expect(decode(new HpackDecoder(), "040c 2f73 616d 706c 652f 7061 7468")).toEqual([":path: /sample/path"]);
    expect(decode(new HpackDecoder(), "1008 7061 7373 776f 7264 0673 6563 7265 74")).toEqual([
      "password: secret",
    ]);
    expect(decode(new HpackDecoder(), "82")).toEqual([":method: GET"]);
  });

  test.each([
    [
      "C.3, requests",
      REQUESTS,
      "",
      [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      ],
    ],
    [
      "C.4, requests in Huffman's code",
      REQUESTS,
      "",
      [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ],
    ],
    [
      "C.5, responses, which evict",
      RESPONSES,
      TABLE_OF_256,
      [
        `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 54
         6e17 6874 7470 733a 2f2f 7777 772e 6578 616d 706c 652e 636f 6d`,
        "4803 3330 37c1 c0bf",
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f
         6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
         2076 6572 7369 6f6e 3d31`,
      ],
    ],
    [
      "C.6, responses in Huffman's code",
      RESPONSES,
      TABLE_OF_256,
      [
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7
         8f0b 97c8 e9ae 82ae 43d3`,
        "4883 640e ffc1 c0bf",
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
         dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      ],
    ],
  ])("%s", (_what, expected, first, blocks) => {
    const decoder = new HpackDecoder();
    decode(decoder, first);
    expect(blocks.map((block) => decode(decoder, block))).toEqual(expected);
  });
});

test("a field that is larger than the table empties it", () => {
  const decoder = new HpackDecoder();
  decode(decoder, "4001 6101 62");
  expect(decode(decoder, "be")).toEqual(["a: b"]);
  decode(decoder, `4001 61 7f811f ${"62".repeat(4_096)}`);
  expect(() => decode(decoder, "be")).toThrow(ConnectionError);
});

test("of a table that is full the oldest goes, of one that is resized as well", () => {
  const decoder = new HpackDecoder();
  // 34 bytes each: 120 of them fit.
  for (let i = 0; i < 130; i++) decode(decoder, `4001 61 01 ${(i & 0x7f).toString(16).padStart(2, "0")}`);
  expect(decode(decoder, "be")).toEqual(["a: \x01"]);
  // Index 181 is the 120th of the dynamic table.
  expect(decode(decoder, "ff36")).toEqual(["a: \x0a"]);
  expect(() => decode(decoder, "ff37")).toThrow(ConnectionError);
  expect(decode(decoder, "3f09 be")).toEqual(["a: \x01"]);
  expect(() => decode(decoder, "bf")).toThrow(ConnectionError);
});

test("a table of 128 fields, as many as there may be", () => {
  const decoder = new HpackDecoder();
  for (let i = 0; i < 300; i++) decode(decoder, "4000 00");
  expect(decode(decoder, "ff3e")).toEqual([": "]);
  expect(() => decode(decoder, "ff3f")).toThrow(ConnectionError);
});

test.each([
  ["index 0", "80"],
  ["an index beyond the tables", "be"],
  ["a name's index beyond the tables", "7e 00"],
  ["an integer that does not end", "ff"],
  ["an integer whose bytes do not end", "ffff ff"],
  ["an integer beyond 2^28", "ffff ffff ff0f"],
  ["an integer of nothing but zeros", "ff80 8080 8000"],
  ["a string without its length", "40"],
  ["a string that ends too soon", "4003 6162"],
  ["a string of 256 MB", "407f ffff ff7f"],
  ["a name without a value", "4001 61"],
  ["Huffman's code with wrong padding", "4081 00 00"],
  ["a table size behind a field", "82 20"],
  ["a table size beyond what we allow", "3fe2 1f"],
])("refused: %s", (_what, hex) => {
  expect(() => decode(new HpackDecoder(), hex)).toThrow(
    expect.objectContaining({ code: ErrorCode.COMPRESSION_ERROR }),
  );
});

test("table sizes in front of the fields", () => {
  expect(decode(new HpackDecoder(), "20 3fe11f 82")).toEqual([":method: GET"]);
});

test("a field that has left the table is not kept", async () => {
  const decoder = new HpackDecoder();
  const fields: WeakRef<HeaderField>[] = [];
  const receiver = { add: (field: HeaderField) => void fields.push(new WeakRef(field)) };
  decoder.decode(Buffer.from("40016101624001630164", "hex"), receiver);
  decoder.decode(Buffer.from("20", "hex"), receiver);
  await new Promise(setImmediate);
  collectGarbage();
  expect(fields.map((field) => field.deref())).toEqual([undefined, undefined]);
});

test("no bytes do anything but decode or be refused", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (blocks) => {
      const decoder = new HpackDecoder();
      try {
        for (const block of blocks) decode(decoder, Buffer.from(block).toString("hex"));
      } catch (error) {
        expect(error).toBeInstanceOf(ConnectionError);
      }
    }),
    { seed: 7541, numRuns: 3_000 },
  );
});
