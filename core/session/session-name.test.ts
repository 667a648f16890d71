import { expect, test } from "vitest";
import { formatText } from "../text.ts";
import {
  animalName,
  contentName,
  isSessionName,
  randomName,
  sessionNameError,
  sessionNameFrom,
} from "./session-name.ts";

test("the grammar: one DNS label", () => {
  for (const name of ["a", "0", "slim-gecko", "a--b", "a".repeat(63)]) expect(isSessionName(name)).toBe(true);
  for (const name of ["", "-a", "a-", "A", "a_b", "a.b", "ä", "a".repeat(64), "a\n"]) {
    expect(isSessionName(name)).toBe(false);
    expect(formatText(sessionNameError(name)!)).toMatch(/session name/);
  }
});

test("made names are within it", () => {
  for (let i = 0; i < 500; i++) {
    expect(animalName()).toMatch(/^[a-z]+-[a-z]+$/);
    expect(isSessionName(animalName())).toBe(true);
    expect(randomName()).toMatch(/^[a-z0-9]{6}$/);
  }
});

test("the same content gives the same name, in whatever order it is written", async () => {
  const name = await contentName({
    services: [{ name: "a", location: "http://a", rewrites: null }],
    domains: [],
  });
  expect(name).toMatch(/^[0-9a-f]{6}$/);
  expect(await contentName({ domains: [], services: [{ location: "http://a", name: "a" }] })).toBe(name);
  expect(await contentName({ domains: [], services: [{ location: "http://b", name: "a" }] })).not.toBe(name);
});

test.each([
  ["pr_123", "pr-123"],
  ["PR-123", "pr-123"],
  ["feature/Some Thing!", "feature-some-thing"],
  ["--a--b--", "a-b"],
  ["größe", "gro-e"],
  ["refs/heads/ünter", "refs-heads-u-nter"],
  ["slim-gecko", "slim-gecko"],
  ["…", ""],
])("%s becomes the name %s", async (text, name) => {
  expect(await sessionNameFrom(text)).toBe(name);
});

test("long texts become names of their own, the same each time", async () => {
  const [one, other] = [`${"x".repeat(70)}1`, `${"x".repeat(70)}2`];
  expect(await sessionNameFrom(one)).toMatch(/^x{56}-[0-9a-f]{6}$/);
  expect(await sessionNameFrom(one)).toBe(await sessionNameFrom(one));
  expect(await sessionNameFrom(one)).not.toBe(await sessionNameFrom(other));
});
