import { expect, test } from "vitest";
import { LocalCopy } from "./local-copy.ts";

/** Of a copy that is looked at every 100 ms, the changes of its state: `[milliseconds, state]`. */
function changes(listens: (ms: number) => boolean, until: number): [number, string][] {
  const copy = new LocalCopy();
  const found: [number, string][] = [];
  for (let ms = 0; ms <= until; ms += 100) {
    const before = copy.state;
    const state = copy.saw(listens(ms), ms);
    if (state !== before) found.push([ms, state]);
  }
  return found;
}

test("requests follow at once where a server starts, and where one ends that has run for a while", () => {
  expect(changes((ms) => ms >= 1000 && ms < 6000, 8000)).toEqual([
    [1000, "local"],
    [6000, "remote"],
  ]);
});

test("a restart of a server that has run for a while is followed at once, each time", () => {
  const down = (ms: number) => ms % 5000 < 300;
  expect(changes((ms) => !down(ms), 11_000)).toEqual([
    [300, "local"],
    [5000, "remote"],
    [5300, "local"],
    [10_000, "remote"],
    [10_300, "local"],
  ]);
});

test("a crash loop moves requests once, and then no more", () => {
  // Listens for half of each second.
  const found = changes((ms) => ms % 1000 >= 500, 120_000);
  expect(found).toEqual([
    [500, "local"],
    [1000, "restarting"],
  ]);
});

test("a server that is mended after crashes gets its requests when it has listened for long enough", () => {
  // Three crashes: it has to listen for 4 s.
  const found = changes((ms) => (ms < 3000 ? ms % 1000 >= 500 : ms >= 5000), 20_000);
  expect(found).toEqual([
    [500, "local"],
    [1000, "restarting"],
    [9000, "local"],
  ]);
});

test("each crash doubles how long it has to listen, up to half a minute", () => {
  const copy = new LocalCopy();
  const waits: (number | undefined)[] = [];
  for (let crash = 0; crash < 8; crash++) {
    copy.saw(true, crash * 1_000);
    copy.saw(false, crash * 1_000 + 500);
    waits.push(copy.waitMs);
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  copy.saw(true, 10_000);
  expect([copy.saw(true, 39_999), copy.waitMs]).toEqual(["restarting", 30_000]);
  expect([copy.saw(true, 40_000), copy.waitMs]).toEqual(["local", undefined]);
});

test("crashes are forgotten after a minute of silence", () => {
  expect(changes((ms) => ms === 0 || ms >= 70_000, 71_000)).toEqual([
    [0, "local"],
    [100, "restarting"],
    [60_100, "remote"],
    [70_000, "local"],
  ]);
});

test("a server that was seen late has not crashed when it ends soon after", () => {
  const copy = new LocalCopy();
  copy.saw(false, 0);
  expect(copy.saw(true, 10_000)).toBe("local");
  expect(copy.saw(false, 11_000)).toBe("remote");
});
