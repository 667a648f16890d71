import { PassThrough } from "node:stream";
import type { WriteStream } from "node:tty";
import { afterEach, expect, test, vi } from "vitest";
import { coloured, terminalJson, terminalText, unstyled } from "./output.ts";

/** A stream that takes styles. */
const terminal = Object.assign(new PassThrough(), {
  isTTY: true,
  getColorDepth: () => 24,
}) as never as WriteStream;

test.each([
  ["a sequence that sets the title", "\x1b]0;owned\x07", "\ufffd]0;owned\ufffd"],
  ["a colour of others", "\x1b[31mred", "\ufffd[31mred"],
  ["C1 codes", "\x9b2J\x9d0;x\x9c", "\ufffd2J\ufffd0;x\ufffd"],
  ["a carriage return", "good\rbad!", "good\ufffdbad!"],
  ["a change of direction", "a\u202eb\u2066c", "a\ufffdb\ufffdc"],
  ["what is in order", "tab\tline\nline\r\nend é 你 🎉", "tab\tline\nline\nend é 你 🎉"],
])("%s, as a terminal is given it", (_, text, shown) => expect(terminalText(text)).toBe(shown));

afterEach(() => void vi.unstubAllEnvs());

test("our own styles are kept, and those within a styled text are not", () => {
  vi.stubEnv("NO_COLOR", "");
  const text = coloured("red", "a\x1b[2Jb", terminal);
  expect(terminalText(text)).toBe("\x1b[31ma\ufffd[2Jb\x1b[39m");
  expect(unstyled(text)).toBe("a\x1b[2Jb");
});

test("nothing is styled with NO_COLOR, whatever else is set", () => {
  vi.stubEnv("NO_COLOR", "1");
  vi.stubEnv("FORCE_COLOR", "1");
  expect(coloured("red", "a", terminal)).toBe("a");
});

test("JSON escapes what it may leave as it is, and means the same", () => {
  const value = { name: "a\x1b\x7f\x9b\u202eb\n" };
  const text = terminalJson(value);
  expect(text).toBe('{"name":"a\\u001b\\u007f\\u009b\\u202eb\\n"}');
  expect(JSON.parse(text)).toEqual(value);
});
