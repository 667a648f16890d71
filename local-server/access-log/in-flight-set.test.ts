import { expect, test } from "vitest";
import { InFlightSet } from "./in-flight-set.ts";

test("has what was added and not deleted, in whatever order it is deleted", () => {
  const set = new InFlightSet<{ index: number; name: string }>();
  const items = ["a", "b", "c", "d"].map((name) => ({ index: 0, name }));
  const names = () => [...set].map(({ name }) => name).sort();
  for (const item of items) set.add(item);
  set.delete(items[1]!);
  expect(names()).toEqual(["a", "c", "d"]);
  set.delete(items[2]!);
  set.delete(items[0]!);
  set.add(items[1]!);
  expect(names()).toEqual(["b", "d"]);
  set.delete(items[3]!);
  set.delete(items[1]!);
  expect(names()).toEqual([]);
});
