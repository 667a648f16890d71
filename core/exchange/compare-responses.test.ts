import { expect, test } from "vitest";
import { cpuTime } from "../../test/support/cpu-time.ts";
import type { ReplayResponse } from "../api/request-log-api.ts";
import { compareResponses } from "./compare-responses.ts";

function answer(body: unknown, more: Partial<ReplayResponse> = {}): ReplayResponse {
  return {
    url: "http://localhost:3000/a",
    status: 200,
    headers: [["Content-Type", "application/json"]],
    body: { text: JSON.stringify(body), cut: false },
    ms: 1,
    withheld: [],
    ...more,
  };
}
const places = (local: unknown, remote: unknown, ignore: string[] = []) =>
  compareResponses(answer(local), answer(remote), ignore).map(({ path }) => path);

test("JSON by structure: the order of keys does not matter, that of items does", () => {
  expect(places({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toEqual([]);
  expect(places([1, 2], [2, 1])).toEqual(["[0]", "[1]"]);
  expect(compareResponses(answer({ a: { b: 1 }, c: 1 }), answer({ a: { b: "1" }, d: [1] }))).toEqual([
    { where: "body", path: "a.b", local: "1", remote: "1" },
    { where: "body", path: "c", local: "1", remote: null },
    { where: "body", path: "d", local: null, remote: "[1]" },
  ]);
  expect(places([], {})).toEqual([""]);
  expect(places(null, 1)).toEqual([""]);
});

test.each([
  [["at"], ["list[0].at", "list[0].id", "list[1].id"]],
  [["list"], ["at"]],
  [["list.*.id", "$.at"], ["list[0].at"]],
  [["list[*].id", "list[0]", "at"], []],
  [["**.at", "**.id"], []],
  [["**.i"], ["at", "list[0].at", "list[0].id", "list[1].id"]],
  [["a.c+"], ["at", "list[0].at", "list[0].id", "list[1].id"]],
])("ignoring %j leaves %j", (ignore, left) => {
  const one = { at: 1, list: [{ id: 1, at: 1 }, { id: 1 }] };
  const other = { at: 2, list: [{ id: 2, at: 2 }, { id: 2 }] };
  expect(places(one, other, ignore).sort()).toEqual(left);
});

test("status, headers that matter, other bodies", () => {
  const text = (body: string, headers: [string, string][]) =>
    answer("", { body: { text: body, cut: false }, headers });
  const local = text("<p>1</p>", [
    ["content-type", "text/html"],
    ["Date", "now"],
    ["location", "http://localhost:3000/b"],
    ["set-cookie", "b=***"],
    ["set-cookie", "a=***"],
  ]);
  const remote = {
    ...text("<p>2</p>", [
      ["Content-Type", "text/plain"],
      ["date", "later"],
      ["Location", "https://web.example.com/b"],
      ["set-cookie", "a=***"],
      ["set-cookie", "b=***"],
    ]),
    url: "https://web.example.com/a",
    status: 500,
  };
  expect(compareResponses(local, remote)).toEqual([
    { where: "status", path: "", local: "200", remote: "500" },
    { where: "header", path: "content-type", local: "text/html", remote: "text/plain" },
    { where: "body", path: "", local: "<p>1</p>", remote: "<p>2</p>" },
  ]);
  expect(compareResponses(local, remote, ["header:Content-Type"])).toHaveLength(2);
});

test("bytes that are no text", () => {
  const image = (base64: string) => answer("", { headers: [], body: { base64, cut: false } });
  expect(compareResponses(image("AAAA"), image("AAAA"))).toEqual([]);
  expect(compareResponses(image("AAAA"), image("AAAAAAAA"))).toEqual([
    { where: "body", path: "", local: "3 bytes", remote: "6 bytes" },
  ]);
  expect(compareResponses(answer("", { headers: [], body: null }), image("AAAA"))[0]).toMatchObject({
    local: null,
  });
});

test("hostile bodies and places take no time, and throw nothing", () => {
  const took = cpuTime(() => {
    const nested = (depth: number, leaf: string) => "[".repeat(depth) + leaf + "]".repeat(depth);
    const deep = (leaf: string) => answer("", { body: { text: nested(200_000, leaf), cut: false } });
    expect(compareResponses(deep("1"), deep("2"))).toMatchObject([{ where: "body", path: "" }]);
    const one = JSON.parse(nested(90, "1"));
    const other = JSON.parse(nested(90, "2"));
    expect(places(one, other, [`${"**.*.".repeat(20)}x`])).toEqual(["[0]".repeat(90)]);
    expect(places(one, other, [`${"**.*.".repeat(20)}0`])).toEqual([]);
  });
  expect(took).toBeLessThan(2_000);
});
