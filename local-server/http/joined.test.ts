import { expect, test } from "vitest";
import { joined } from "./joined.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

test("what comes byte by byte is copied as often as its length doubles, or grows by 64 KB", () => {
  let whole = bytes("a");
  const memories = new Set<ArrayBufferLike>();
  for (let n = 1; n < 131_072; n++) {
    whole = joined(whole, bytes(String(n % 10)));
    memories.add(whole.buffer);
  }
  expect(memories.size).toBeLessThan(20);
  expect(whole.toString()).toBe(Array.from({ length: 131_072 }, (_, n) => (n === 0 ? "a" : n % 10)).join(""));
});

test("the rest behind a part goes on as well", () => {
  const first = joined(bytes("one"), bytes("two"));
  const whole = joined(first.subarray(3), bytes("three"));
  expect(whole.buffer).toBe(first.buffer);
  expect(whole.toString()).toBe("twothree");
  expect(first.toString()).toBe("onetwo");
});

test("what goes on in two ways is not overwritten", () => {
  const first = joined(bytes("a"), bytes("bcd"));
  const second = joined(first, bytes("1"));
  expect(joined(first, bytes("2")).toString()).toBe("abcd2");
  expect(joined(first.subarray(0, 2), bytes("3")).toString()).toBe("ab3");
  expect(second.toString()).toBe("abcd1");
  expect(first.toString()).toBe("abcd");
});

test("memory of others is never written to", () => {
  const others = Buffer.alloc(10, "x");
  expect(joined(others.subarray(0, 2), bytes("y")).toString()).toBe("xxy");
  expect(others.toString()).toBe("xxxxxxxxxx");
});
