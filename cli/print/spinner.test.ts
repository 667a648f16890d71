import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { spin } from "./spinner.ts";

const { stderr } = process;
const { isTTY } = stderr;
let written: string;
beforeEach(() => {
  written = "";
  stderr.isTTY = true;
  vi.stubEnv("NO_COLOR", "");
  vi.spyOn(stderr, "write").mockImplementation((text) => {
    written += text;
    return true;
  });
  vi.useFakeTimers();
});
afterEach(() => {
  stderr.isTTY = isTTY;
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** What is written while a command waits for this long. */
async function waiting(ms: number): Promise<string> {
  const work = Promise.withResolvers<string>();
  const result = spin("Creating", work.promise);
  vi.advanceTimersByTime(ms);
  work.resolve("done");
  expect(await result).toBe("done");
  vi.advanceTimersByTime(1_000);
  return written;
}

test("a terminal shows what is waited for, and nothing of it is left", async () => {
  expect(await waiting(200)).toBe("\r⠋ Creating…\r⠙ Creating…\r\x1b[2K");
});

test("a failure ends it as well", async () => {
  await expect(spin("Creating", Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(written).toBe("\r\x1b[2K");
});

test.each([
  ["with NO_COLOR", () => vi.stubEnv("NO_COLOR", "1")],
  ["without a terminal", () => (stderr.isTTY = false)],
])("nothing is written %s", async (_, prepare) => {
  prepare();
  expect(await waiting(200)).toBe("");
});
