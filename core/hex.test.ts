import fc from "fast-check";
import { expect, test } from "vitest";
import { hex } from "./hex.ts";

test("two digits for each byte, with the engine's own way and without", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const expected = Buffer.from(bytes).toString("hex");
      expect(hex(bytes)).toBe(expected);
      const withOwn = Object.assign(bytes, { toHex: () => `own ${expected}` });
      expect(hex(withOwn)).toBe(`own ${expected}`);
    }),
  );
});
