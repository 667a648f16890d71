import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appendBlock, hasBlock, MARKER, removeBlock } from "./block.ts";

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString("latin1"));
const lines = fc
  .tuple(fc.array(fc.constantFrom("A=1", "B=", "", " # c", "é")), fc.constantFrom("\n", "\r\n"), fc.boolean())
  .map(([parts, newline, last]) => parts.join(newline) + (last ? newline : ""));
const text = fc.oneof(bytes, lines);

test("what is appended and taken out leaves every byte as it was", () => {
  fc.assert(
    fc.property(text, text, (before, content) => {
      const { text: with_, block } = appendBlock(before, content);
      expect(removeBlock(with_, block)).toBe(before);
    }),
  );
});

test("what is written around the block meanwhile stays", () => {
  fc.assert(
    fc.property(text, text, text, text, (before, content, above, below) => {
      const { text: with_, block } = appendBlock(before, content);
      expect(removeBlock(above + with_ + below, block)).toBe(above + before + below);
    }),
  );
});

describe("the block", () => {
  test.each([
    ["after a last line", "A=1\n", "B=2\n", `A=1\n${MARKER}\nB=2\n${MARKER}\n`],
    ["after a last line without its newline", "A=1", "B=2", `A=1\n${MARKER}\nB=2\n${MARKER}\n`],
    ["in a file of Windows", "A=1\r\n", "B=2", `A=1\r\n${MARKER}\r\nB=2\r\n${MARKER}\r\n`],
    ["in a new file", "", "B=2\r\n", `${MARKER}\r\nB=2\r\n${MARKER}\r\n`],
  ])("%s", (_, before, content, after) => expect(appendBlock(before, content).text).toBe(after));

  test("is recognised, no matter who wrote it", () => {
    expect(hasBlock(appendBlock("", "A=1").text)).toBe(true);
    expect(hasBlock("A=1\n")).toBe(false);
  });
});

describe("a block that was changed", () => {
  const { text: written, block } = appendBlock("A=1\n", "B=2\nC=3\n");
  test.each([
    ["a line added to it", written.replace("C=3", "NEW=4\nC=3"), "A=1\nNEW=4\n"],
    ["a line of it changed", written.replace("C=3", "C=4"), "A=1\nC=4\n"],
    ["other line ends", written.replaceAll("\n", "\r\n"), "A=1\r\n"],
  ])("%s", (_, changed, after) => expect(removeBlock(changed, block)).toBe(after));

  test("beyond recognition is left alone", () => {
    expect(removeBlock("A=1\n", block)).toBeUndefined();
    expect(removeBlock(`A=1\n${MARKER}\nB=2\n`, block)).toBeUndefined();
  });
});

test("a byte order mark before the variables does not get into the first one's name", () => {
  const { text } = appendBlock("B=2\n", Buffer.from("\ufeffA=1\n").toString("latin1"));
  expect(text).toBe(`B=2\n${MARKER}\nA=1\n${MARKER}\n`);
});
