import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LocalCopies } from "./local-copies.ts";

const WEB = "http://localhost:3000/";

/** What listens, and when each question was asked. */
let listens: boolean;
let answersAfterMs: number;
let asked: number[];
let copies: LocalCopies;

beforeEach(() => {
  vi.useFakeTimers();
  listens = false;
  answersAfterMs = 0;
  asked = [];
  copies = new LocalCopies(
    (_origin, done) => {
      asked.push(performance.now());
      setTimeout(() => done(listens), answersAfterMs);
    },
    () => {},
  );
});
afterEach(() => {
  copies.close();
  vi.useRealTimers();
});

async function watch(): Promise<void> {
  const watching = copies.watch(new Set([WEB]));
  await vi.advanceTimersByTimeAsync(answersAfterMs);
  await watching;
}

/** How often it was asked in the next ten seconds. */
async function askedInTenSeconds(): Promise<number> {
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(10_000);
  return asked.length - before;
}

test("what nothing has happened to for a minute is asked seldom, and more often while changes are shown", async () => {
  await watch();
  expect(await askedInTenSeconds()).toBe(16);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await askedInTenSeconds()).toBe(1);
  const end = copies.follow(() => {});
  await vi.advanceTimersByTimeAsync(0);
  expect([4, 5]).toContain(await askedInTenSeconds());
  end();
  await vi.advanceTimersByTimeAsync(10_000);
  listens = true;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(copies.stateOf(WEB)).toBe("local");
  expect([4, 5]).toContain(await askedInTenSeconds());
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await askedInTenSeconds()).toBe(1);
});

test("a request asks first, and a page of them once", async () => {
  await watch();
  await vi.advanceTimersByTimeAsync(75_000);
  listens = true;
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(1_000);
  const looking = [copies.lookAgain(WEB), copies.lookAgain(WEB)];
  expect(looking[0]).toBeInstanceOf(Promise);
  await vi.advanceTimersByTimeAsync(0);
  await Promise.all(looking);
  expect(copies.stateOf(WEB)).toBe("local");
  expect(asked.length).toBe(before + 1);
  expect(copies.lookAgain(WEB)).toBeUndefined();
  expect(copies.lookAgain("http://localhost:4000/")).toBeUndefined();
});

test("nobody waits for what answers late, which is asked often instead", async () => {
  answersAfterMs = 400;
  await watch();
  await vi.advanceTimersByTimeAsync(75_000);
  expect(await askedInTenSeconds()).toBe(10);
  await vi.advanceTimersByTimeAsync(399);
  expect(copies.lookAgain(WEB)).toBeUndefined();
});

test("who asks for the status is told what is so now", async () => {
  await watch();
  await vi.advanceTimersByTimeAsync(75_000);
  listens = true;
  await vi.advanceTimersByTimeAsync(1_000);
  const looking = copies.lookAgainAtAll();
  await vi.advanceTimersByTimeAsync(0);
  await looking;
  expect(copies.states).toEqual({ [WEB]: "local" });
});

test("a request that is refused makes it ask at once", async () => {
  listens = true;
  await watch();
  const changes: string[] = [];
  copies.follow(() => changes.push(copies.stateOf(WEB)));
  await vi.advanceTimersByTimeAsync(100_000);
  const before = asked.length;
  listens = false;
  copies.refused(WEB);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked.length).toBe(before + 1);
  expect(changes).toEqual(["remote"]);
});
