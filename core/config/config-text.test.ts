import { expect, test } from "vitest";
import { configText } from "./config-text.ts";

const TEXT = "name: wäb 🚀\n";

test.each<[string, Buffer]>([
  ["UTF-8", Buffer.from(TEXT)],
  ["UTF-16 of Windows", Buffer.from(`\ufeff${TEXT}`, "utf16le")],
  ["UTF-16 of others", Buffer.from(`\ufeff${TEXT}`, "utf16le").swap16()],
])("%s is read", (_, content) => expect(configText(content)).toBe(TEXT));

test("nothing, and a single byte, are read", () => {
  expect(configText(Buffer.alloc(0))).toBe("");
  expect(configText(Buffer.from("a"))).toBe("a");
});
