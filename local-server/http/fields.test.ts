import fc from "fast-check";
import { expect, test } from "vitest";
import { ChangedFields, Fields, FieldsCache, HeaderLines } from "./fields.ts";

const copy = (raw: string[]) => raw.map((text) => Buffer.from(text).toString());

test("equal lines are interned as one object, others are not", () => {
  const cache = new FieldsCache();
  const raw = ["Host", "a.example", "Accept", "*/*"];
  const fields = cache.intern(raw);
  expect(cache.intern(copy(raw))).toBe(fields);
  for (const other of [
    ["Host", "b.example", "Accept", "*/*"],
    ["host", "a.example", "Accept", "*/*"],
    ["Accept", "*/*", "Host", "a.example"],
    ["Host", "a.example"],
    [...raw, "Accept", ""],
  ])
    expect(cache.intern(other)).not.toBe(fields);
});

test("an interned object always has the lines that were asked for", () => {
  const cache = new FieldsCache();
  const text = fc.constantFrom("", "a", "b", "A", "ab", "traceparent");
  const lines = fc.array(fc.tuple(text, text), { maxLength: 4 }).map((pairs) => pairs.flat());
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 50 }), (all) => {
      for (const raw of all)
        expect(cache.intern(copy(raw))).toMatchObject({ raw, names: new Fields(raw).names });
    }),
  );
});

test("a list's members lose spaces and tabs around them, and no other byte", () => {
  const fields = new Fields(["Transfer-Encoding", "gzip ,\tchunked\xa0"]);
  expect(fields.list("transfer-encoding")).toEqual(["gzip", "chunked\xa0"]);
});

test("very long lines are not interned", () => {
  const cache = new FieldsCache();
  const raw = ["Cookie", "a".repeat(10_000)];
  expect(cache.intern(raw)).not.toBe(cache.intern(raw));
});

test("two connections share nothing", () => {
  const raw = ["Cookie", "a=1"];
  expect(new FieldsCache().intern(raw)).not.toBe(new FieldsCache().intern(raw));
});

test("lines that differ in their trace alone share what is made of them, and keep their own", () => {
  const cache = new FieldsCache();
  const traced = (id: string, agent = "a") => ["Agent", agent, "Traceparent", `00-${id}-01`];
  const first = cache.intern(traced("1"));
  const second = cache.intern(traced("2"));
  expect(second.derived).toBe(first.derived);
  expect(second.get("traceparent")).toBe("00-2-01");
  expect(first.get("traceparent")).toBe("00-1-01");
  expect(second.equals(first)).toBe(false);
  expect(cache.intern(traced("2", "b")).derived).not.toBe(first.derived);
});

test("one value of lines may vary, and the others are serialised once", () => {
  const raw = ["A", "1", "Traceparent", "x", "B", "2"];
  const lines = new HeaderLines(raw, 3);
  expect(lines.http1("y")).toBe("A: 1\r\nTraceparent: y\r\nB: 2\r\n");
  expect(lines.http1("z")).toBe("A: 1\r\nTraceparent: z\r\nB: 2\r\n");
  expect(lines.raw("y")).toEqual(["A", "1", "Traceparent", "y", "B", "2"]);
  expect(new HeaderLines(raw).http1("y")).toBe("A: 1\r\nTraceparent: x\r\nB: 2\r\n");
  expect(new HeaderLines(["T", "x"], 1).http1("y")).toBe("T: y\r\n");
});

test("changed lines keep their order and the case of their names", () => {
  const given = [
    "Vary",
    "a",
    "Connection",
    "x",
    "Set-Cookie",
    "1",
    "X",
    "hop",
    "vary",
    "b",
    "SET-COOKIE",
    "2",
  ];
  const headers = new ChangedFields(new Fields(given));
  expect(headers.raw).toEqual(["Vary", "a", "Set-Cookie", "1", "vary", "b", "SET-COOKIE", "2"]);
  expect(headers.get("vary")).toBe("a, b");
  headers.set("vary", "vary", "c");
  headers.map("set-cookie", (value) => `${value}!`);
  headers.set("new", "New", "n");
  headers.add("Set-Cookie", "3");
  expect(headers.raw).toEqual([
    "Vary",
    "c",
    "Set-Cookie",
    "1!",
    "SET-COOKIE",
    "2!",
    "New",
    "n",
    "Set-Cookie",
    "3",
  ]);
  headers.delete("set-cookie");
  expect(headers.raw).toEqual(["Vary", "c", "New", "n"]);
});
