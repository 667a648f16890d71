import { describe, expect, test } from "vitest";
import { formatText } from "../text.ts";
import { reservedNameError, takenLabelError } from "./reserved-names.ts";

const inUse = {
  workerHost: "edge.example.com:443",
  domains: ["example.com", "shop.Example.com", "pay.localhost"],
};

describe("names that a session must not have", () => {
  test.each([
    ["edge", /Worker's own host edge\.example\.com/],
    ["shop", /domain shop\.example\.com/],
    ["pay", /domain pay\.localhost/],
    ["api", /is reserved/],
    ["www", /is reserved/],
  ])("%s", (name, reason) => expect(formatText(reservedNameError(name, inUse)!)).toMatch(reason));

  test.each(["slim-gecko", "shop-2", "com", "example"])("%s is fine", (name) =>
    expect(reservedNameError(name, inUse)).toBeUndefined(),
  );

  test("the reserved list can be replaced, the domains cannot", () => {
    expect(reservedNameError("www", { ...inUse, reserved: [] })).toBeUndefined();
    expect(reservedNameError("shop", { ...inUse, reserved: [] })).toBeDefined();
  });

  test("an address has no first label", () => {
    expect(reservedNameError("127", { workerHost: "127.0.0.1:8787", domains: [] })).toBeUndefined();
  });
});

test("a domain must not start with the name of a running session", () => {
  const isRunning = (name: string) => name === "slim-gecko";
  expect(takenLabelError("slim-gecko.example.com", isRunning)).toContain('running session "slim-gecko"');
  expect(takenLabelError("example.com", isRunning)).toBeUndefined();
});
