import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameCounter } from "./frame-counter.ts";

/** A frame as RFC 6455, 5.2 writes it. */
function frame(opcode: number, payload: Buffer, mask: boolean): Buffer {
  const { length } = payload;
  const size = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + size);
  header[0] = 0x80 | opcode;
  header[1] = (mask ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127);
  if (size === 2) header.writeUInt16BE(length, 2);
  if (size === 8) header.writeBigUInt64BE(BigInt(length), 2);
  if (!mask) return Buffer.concat([header, payload]);
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  return Buffer.concat([header, key, payload.map((byte, i) => byte ^ key[i % 4]!)]);
}

const close = (code: number) => Buffer.from([code >> 8, code & 255, ...Buffer.from("bye")]);

test("frames of any size, cut anywhere, masked or not; and the code at the end", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 1, 5, 125, 126, 127, 3_000, 65_535, 65_536), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 10 }),
      fc.boolean(),
      fc.integer({ min: 1000, max: 4999 }),
      (sizes, cuts, mask, code) => {
        const frames = sizes.map((size, i) => frame(i % 3, Buffer.alloc(size, 0x88), mask));
        const bytes = Buffer.concat([...frames, frame(8, close(code), mask)]);
        const counter = new FrameCounter();
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const length = cuts[i % cuts.length]!;
          counter.feed(bytes.subarray(at, at + length));
          at += length;
        }
        expect(counter).toMatchObject({ frames: sizes.length + 1, closed: true, closeCode: code });
      },
    ),
  );
});

test.each([
  ["without a code", Buffer.alloc(0), 0],
  ["with a code alone", close(1000).subarray(0, 2), 1000],
])("a close frame %s", (_what, payload, code) => {
  const counter = new FrameCounter();
  counter.feed(frame(8, payload, true));
  counter.feed(frame(9, Buffer.alloc(3), true));
  expect(counter).toMatchObject({ frames: 2, closed: true, closeCode: code });
});
