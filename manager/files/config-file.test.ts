import { expect, test } from "vitest";
import { textOf } from "./config-file.ts";

const TEXT = "name: wäb 🚀\n";

test.each<[string, Buffer]>([
  ["UTF-8", Buffer.from(TEXT)],
  ["UTF-16 of Windows", Buffer.from(`\ufeff${TEXT}`, "utf16le")],
  ["UTF-16 of others", Buffer.from(`\ufeff${TEXT}`, "utf16le").swap16()],
])("%s is read", (_, content) => expect(textOf(content)).toBe(TEXT));

test("nothing, and a single byte, are read", () => {
  expect(textOf(Buffer.alloc(0))).toBe("");
  expect(textOf(Buffer.from("a"))).toBe("a");
});
