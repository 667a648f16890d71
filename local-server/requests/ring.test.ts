import fc from "fast-check";
import { expect, test } from "vitest";
import type { Client } from "../proxy/client.ts";
import { Fields } from "../proxy/fields.ts";
import { Exchange } from "./exchange.ts";
import { Ring } from "./ring.ts";

const nobody = { changed() {}, ended() {} };

function exchange(
  id: number,
  { headers = [] as string[], answer = [] as string[], body = "" } = {},
): Exchange {
  const fields = new Fields(headers);
  const client = {
    protocol: "HTTP/1.1",
    secure: false,
    method: "GET",
    host: "a.example",
    target: `/${id}`,
    fields,
  } as unknown as Client;
  const made = new Exchange(id, client, "browser", 100, nobody);
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

test("the newest are kept, with all their words", () => {
  const ring = new Ring(2, 10_000);
  for (const id of [1, 2, 3])
    ring.add(
      exchange(id, { headers: ["A", `${id}`, "B", ""], answer: ["C", `\xe9${id}`], body: "x".repeat(id) }),
    );
  const kept = [...ring].map(({ facts, target, requestHeaders, responseHeaders, requestBody }) => [
    facts.id,
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

test("what was sent is read in the client's words", () => {
  const ring = new Ring(1, 10_000);
  const one = exchange(1);
  const own = "GET /new HTTP/1.1\r\nHost: localhost:1\r\nA: 1\r\nOrigin: http://localhost:1\r\n";
  one.request = {
    origin: "",
    head: `${own}tracestate: added\r\n\r\n`,
    own: own.length,
    replaced: ["Origin", "https://slim-gecko.example.com", "linkup-hops", "1"],
    method: "GET",
    upgrade: false,
    body: "none",
  };
  ring.add(one);
  const [read] = ring;
  expect(read!.target).toBe("/1");
  expect(read!.requestHeaders.raw).toEqual([
    ...["A", "1", "Origin", "https://slim-gecko.example.com", "linkup-hops", "1"],
  ]);
});

test("however long they are: the newest that fit are there, whole, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 120, size: "max" }),
      (size, lengths) => {
        const bytes = 2_000;
        const ring = new Ring(size, bytes);
        for (const [i, length] of lengths.entries())
          ring.add(exchange(i + 1, { headers: ["A", String.fromCharCode(97 + (i % 26)).repeat(length)] }));
        const kept = [...ring];
        const ids = kept.map(({ facts }) => facts.id);
        expect(ids).toEqual(lengths.map((_, i) => i + 1).slice(-ids.length));
        expect(ids.length).toBeGreaterThanOrEqual(1);
        expect(ids.length).toBeLessThanOrEqual(size);
        for (const { facts, requestHeaders } of kept) {
          const i = facts.id - 1;
          expect(requestHeaders.raw).toEqual(["A", String.fromCharCode(97 + (i % 26)).repeat(lengths[i]!)]);
        }
      },
    ),
  );
});

test("what happens to an exchange after its end is not told of it", () => {
  const ring = new Ring(1, 10_000);
  const one = exchange(1);
  one.wasConnected();
  one.end();
  ring.add(one);
  one.broken("client", "it went away");
  const [{ facts } = {}] = ring;
  expect(facts!.rare!.connected).toBeGreaterThan(0);
  expect(facts!.rare!.brokenBy).toBeUndefined();
});

test("cleared, it is empty, and goes on", () => {
  const ring = new Ring(3, 10_000);
  for (const id of [1, 2]) ring.add(exchange(id));
  ring.clear();
  expect([...ring]).toEqual([]);
  ring.add(exchange(3));
  expect([...ring].map(({ facts }) => facts.id)).toEqual([3]);
});
