import { expect, test } from "vitest";
import { formatText } from "../text.ts";
import { animalName, contentName, isSessionName, randomName, sessionNameError } from "./session-name.ts";

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
