import fc from "fast-check";
import { expect, test } from "vitest";
import type { Client } from "../downstream/client.ts";
import { Fields, FieldsCache } from "../http/fields.ts";
import { InFlightExchange } from "./in-flight-exchange.ts";
import { Ring } from "./ring.ts";

const noEvents = { followed: false, changed() {}, traced() {}, ended() {} };

function exchange(
  id: number,
  {
    headers = [] as string[],
    fields = new Fields(headers),
    host = "a.example",
    answer = [] as string[],
    body = "",
  } = {},
): InFlightExchange {
  const client = {
    protocol: "HTTP/1.1",
    secure: false,
    method: "GET",
    host,
    target: `/${id}`,
    fields,
  } as unknown as Client;
  const made = new InFlightExchange(id, client, "browser", 100, noEvents);
  made.sent(Buffer.from(body));
  made.respond(200, {
    status: 200,
    reason: "OK",
    fields: new Fields(answer),
    hasBody: true,
    length: undefined,
  });
  return made;
}

test("the newest exchanges are kept, with all their text", () => {
  const ring = new Ring(2, 10_000);
  for (const id of [1, 2, 3])
    ring.add(
      exchange(id, { headers: ["A", `${id}`, "B", ""], answer: ["C", `\xe9${id}`], body: "x".repeat(id) }),
    );
  const kept = ring
    .all()
    .map(({ metadata, target, requestHeaders, responseHeaders, requestBody }) => [
      metadata.id,
      target,
      requestHeaders.raw,
      responseHeaders,
      String(requestBody?.bytes),
    ]);
  expect(kept).toEqual([
    [2, "/2", ["A", "2", "B", ""], ["C", "\xe92"], "xx"],
    [3, "/3", ["A", "3", "B", ""], ["C", "\xe93"], "xxx"],
  ]);
});

test("headers that many exchanges share are written once, and read for each", () => {
  const ring = new Ring(3, 1_000);
  const browser = new Fields(["A", "a".repeat(200)]);
  for (const id of [1, 2, 3]) ring.add(exchange(id, { fields: id === 2 ? new Fields(["B", ""]) : browser }));
  expect(ring.all().map(({ requestHeaders }) => requestHeaders.raw)).toEqual([
    browser.raw,
    ["B", ""],
    browser.raw,
  ]);
});

test("headers that differ in their trace are written once, and read with it for each", () => {
  const ring = new Ring(20, 8_000);
  const connections = [new FieldsCache(), new FieldsCache()];
  const raws = Array.from({ length: 20 }, (_, i) => [
    "A",
    "a".repeat(1_000),
    "Traceparent",
    `${i % 5 || ""}`,
  ]);
  for (const [i, raw] of raws.entries())
    ring.add(exchange(i, { fields: connections[i % 2]!.intern(raw), answer: ["B", `${i}`] }));
  const kept = ring.all();
  expect(kept.map(({ requestHeaders }) => requestHeaders.raw)).toEqual(raws);
  expect(kept.map(({ target, responseHeaders }) => [target, responseHeaders])).toEqual(
    raws.map((_, i) => [`/${i}`, ["B", `${i}`]]),
  );
});

test("of headers with two traces each is read as it was", () => {
  const ring = new Ring(3, 1_000);
  const cache = new FieldsCache();
  const raws = [
    ["traceparent", "1", "traceparent", "2"],
    ["traceparent", "1", "traceparent", "3"],
    ["traceparent", "4", "traceparent", "2"],
  ];
  for (const [i, raw] of raws.entries()) ring.add(exchange(i, { fields: cache.intern(raw) }));
  expect(ring.all().map(({ requestHeaders }) => requestHeaders.raw)).toEqual(raws);
});

test("the same headers for several hosts are read with each host", () => {
  const ring = new Ring(4, 1_000);
  const fields = new Fields(["A", "1"]);
  const hosts = ["a.example", "b.example", "", "a.example"];
  for (const [i, host] of hosts.entries()) ring.add(exchange(i, { fields, host }));
  expect(ring.all().map(({ host }) => host)).toEqual(hosts);
  expect(ring.all().map(({ requestHeaders }) => requestHeaders.raw)).toEqual(hosts.map(() => fields.raw));
});

test("headers that two logs have are read from both", () => {
  const fields = new Fields(["A", "1"]);
  const rings = [new Ring(1, 1_000), new Ring(1, 1_000)];
  for (const [i, ring] of rings.entries()) {
    // So that they lie elsewhere in each.
    ring.add(exchange(0, { headers: ["B", "b".repeat(i)] }));
    ring.add(exchange(1, { fields }));
  }
  for (const ring of rings) expect(ring.all()[0]!.requestHeaders.raw).toEqual(fields.raw);
});

test("the newest exchanges that fit are complete, whatever their lengths", () => {
  const shared = [0, 20, 300].map((length) => new Fields(["A", "a".repeat(length)]));
  const own = fc.integer({ min: 0, max: 700 }).map((length) => new Fields(["B", "b".repeat(length)]));
  const event = fc.record({
    fields: fc.oneof(own, fc.constantFrom(...shared)),
    answer: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 700 })),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(event, { minLength: 1, maxLength: 120, size: "max" }),
      (size, events) => {
        const ring = new Ring(size, 6_000);
        const answers = events.map(({ answer }, i) => [
          "C",
          String.fromCharCode(97 + (i % 26)).repeat(answer),
        ]);
        for (const [i, { fields }] of events.entries())
          ring.add(exchange(i, { fields, answer: answers[i]! }));
        const kept = ring.all();
        expect(kept.length).toBeGreaterThanOrEqual(1);
        expect(kept.length).toBeLessThanOrEqual(size);
        expect(kept.map(({ metadata }) => metadata.id)).toEqual(events.map((_, i) => i).slice(-kept.length));
        for (const { metadata, target, requestHeaders, responseHeaders } of kept)
          expect([target, requestHeaders.raw, responseHeaders]).toEqual([
            `/${metadata.id}`,
            events[metadata.id]!.fields.raw,
            answers[metadata.id],
          ]);
      },
    ),
  );
});

test("events after the end of an exchange are ignored", () => {
  const ring = new Ring(1, 10_000);
  const one = exchange(1);
  one.connected();
  one.end();
  ring.add(one);
  one.aborted("client", "it went away");
  const [{ metadata } = {}] = ring.all();
  expect(metadata!.rare!.connected).toBeGreaterThan(0);
  expect(metadata!.rare!.brokenBy).toBeUndefined();
});

test("a cleared ring is empty, and takes new exchanges", () => {
  const ring = new Ring(3, 10_000);
  const fields = new Fields(["A", "1"]);
  for (const id of [1, 2]) ring.add(exchange(id, { fields }));
  ring.clear();
  expect(ring.all()).toEqual([]);
  ring.add(exchange(3, { fields }));
  expect(ring.all().map(({ metadata, requestHeaders }) => [metadata.id, requestHeaders.raw])).toEqual([
    [3, fields.raw],
  ]);
});

test("all exchanges that are to be kept are kept while they fit", () => {
  const ring = new Ring(100, 60_000);
  // Small ones fill the part of the buffer that it begins with more than once, then it has to grow.
  const answers = Array.from({ length: 1_300 }, (_, i) => [
    "B",
    `${i}`.padEnd(i < 1_000 ? 10 : 100 + (i % 150), "b"),
  ]);
  const fields = [1, 50, 500].map((length) => new Fields(["A", "a".repeat(length)]));
  for (const [i, answer] of answers.entries()) {
    ring.add(exchange(i, { fields: fields[i % 3]!, answer }));
    if (i % 7 !== 0) continue;
    const kept = ring.all();
    expect(kept.map(({ responseHeaders }) => responseHeaders)).toEqual(
      answers.slice(Math.max(0, i + 1 - 100), i + 1),
    );
    expect(kept.map(({ requestHeaders }) => requestHeaders.raw)).toEqual(
      kept.map(({ metadata }) => fields[metadata.id % 3]!.raw),
    );
  }
});

test("a cleared ring has overwritten all text", () => {
  const ring = new Ring(20, 40_000);
  // It grows after it was filled once, which copies text.
  for (let i = 0; i < 170; i++)
    ring.add(exchange(i, { answer: ["B", "secret".repeat(i < 160 ? 10 : 100)], body: "secret" }));
  const memory = Buffer.from(ring.all()[0]!.requestBody!.bytes.buffer);
  expect(memory.includes("secret")).toBe(true);
  ring.clear();
  expect(memory.includes("secret")).toBe(false);
});

test("takes as much memory as the exchanges need that it keeps", () => {
  const bytes = 256 << 20;
  const before = process.memoryUsage.rss();
  const ring = new Ring(2, bytes);
  const answer = ["A", "a".repeat(1 << 20)];
  for (let i = 0; i < 300; i++) ring.add(exchange(i, { answer }));
  expect(ring.all().length).toBe(2);
  expect(process.memoryUsage.rss() - before).toBeLessThan(bytes / 2);
});

test("takes memory as it is written, and when it is cleared", () => {
  const bytes = 256 << 20;
  const before = process.memoryUsage.rss();
  const ring = new Ring(2, bytes);
  ring.add(exchange(1, { headers: ["A", "1"] }));
  ring.clear();
  expect(process.memoryUsage.rss() - before).toBeLessThan(bytes / 4);
});
