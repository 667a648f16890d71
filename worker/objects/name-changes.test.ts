import { expect, test } from "vitest";
import { NameChanges } from "./name-changes.ts";

test("lists what was added or removed since a version", () => {
  const changes = new NameChanges();
  const first = changes.version;
  expect(changes.since(first)).toEqual([]);
  for (const name of ["a", "b", null, "a"]) changes.add(name);
  expect(changes.since(first)).toEqual(["a", "b"]);
  const second = changes.version;
  changes.add("c");
  expect(changes.since(second)).toEqual(["c"]);
});

test("knows nothing of other lives, of old versions and of nonsense", () => {
  const changes = new NameChanges();
  const old = changes.version;
  for (let index = 0; index < 1_001; index++) changes.add(`s-${index}`);
  const [life] = changes.version.split(".");
  for (const version of [
    null,
    "",
    "x",
    old,
    `${life}.`,
    `${life}.-1`,
    `${life}.99999`,
    `${life}.1e9`,
    new NameChanges().version,
  ])
    expect(changes.since(version), String(version)).toBeUndefined();
  expect(changes.since(`${life}.1`)).toHaveLength(1_000);
});
