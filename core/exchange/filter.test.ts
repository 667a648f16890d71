import { expect, test } from "vitest";
import type { Exchange } from "../api/request-log-api.ts";
import { parseFilter } from "./filter.ts";

const EXCHANGE = {
  method: "POST",
  client_host: "slim-gecko.example.com",
  target: "/api/Checkout?x=1",
  session: "slim-gecko",
  service: "api",
  at: "remote",
  state: "complete",
  status: 503,
  timings: { queue: 0, connect: null, first_byte: 20, total: 1_500 },
  websocket: null,
  sender: null,
  lost_from: null,
  trace: "0af7651916cd43dd8448eb211c80319c",
  listener: "edge",
  edge: null,
} as Exchange;
const matches = (filter: string, more: Partial<Exchange> = {}) =>
  parseFilter(filter).matches({ ...EXCHANGE, ...more });

test.each([
  "",
  "checkout",
  "post",
  "status:5xx service:api method:POST path:/api slow",
  "status:503",
  "status:5",
  "status:>=500 status:<600",
  "-status:4xx",
  '"slim-gecko.example.com/api"',
  "session:slim-gecko",
  "trace:0af7",
  "remote edge failed is:slow -lost -open",
  "target:remote",
])("%s matches", (filter) => expect(matches(filter)).toBe(true));

test.each([
  "status:4xx",
  "-slow",
  "service:ap",
  "nowhere",
  "local",
  "status:5xx path:/none",
  "websocket",
  "constructor",
  "__proto__",
  "is:constructor",
])("%s does not match", (filter) => expect(matches(filter)).toBe(false));

test("what an override has met, and what went to another copy than its target", () => {
  const overridden = { override: "Payments-Down" };
  for (const filter of ["overridden", "is:overridden", "override:payments-down", "override:pay", "override:"])
    expect([matches(filter, overridden), matches(filter, { override: null }), matches(filter)]).toEqual([
      true,
      false,
      false,
    ]);
  expect(matches("override:other", overridden)).toBe(false);
  expect([matches("fallback", { fallback: "local-refused" }), matches("fallback")]).toEqual([true, false]);
});

test("what has lost its session", () => {
  expect(matches("lost", { lost_from: "slim-gecko", session: null })).toBe(true);
  expect(matches("lost", { sender: "curl", session: null })).toBe(true);
  expect(matches("session:slim-gecko", { lost_from: "slim-gecko", session: null })).toBe(true);
});

test("a word that means nothing matches nothing, and is named", () => {
  expect(parseFilter("api nothing:x status:abc").unknown).toEqual(["nothing:x", "status:abc"]);
  expect(matches("nothing:x")).toBe(false);
  expect(matches("status:", { status: null })).toBe(false);
});
