import { createRequire } from "node:module";
import { expect, test } from "vitest";
import type { ExchangeDetails } from "../api/request-log-api.ts";
import { harOf } from "./har.ts";
import { parseHar } from "./har-reader.ts";
import { headerChanges } from "./header-changes.ts";

const validator = createRequire(import.meta.url)("har-validator/lib/promise.js");
const validated: (har: unknown) => Promise<unknown> = validator.har;

const DETAILS = {
  id: 3,
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  protocol: "HTTP/2",
  secure: true,
  method: "POST",
  client_host: "slim-gecko.example.com",
  target: "/a?b=1&token=***",
  service: "api",
  at: "local",
  status: 201,
  request_bytes: 2,
  response_bytes: 5,
  timings: { queue: 1, connect: 2, first_byte: 10, total: 12 },
  request_headers: [
    ["content-type", "application/json"],
    ["authorization", "Bearer ***"],
  ],
  response_headers: [
    ["content-type", "image/png"],
    ["location", "/b"],
  ],
  request_body: { text: "{}", cut: false },
  response_body: { base64: "AAAA", cut: false },
} as unknown as ExchangeDetails;

test("an entry as HAR 1.2 wants it: its parts add up to its time", () => {
  const [entry] = harOf([DETAILS], "1.0.0").log.entries;
  expect(entry).toMatchObject({
    startedDateTime: "2026-01-02T03:04:05.006Z",
    time: 12,
    request: {
      method: "POST",
      url: "https://slim-gecko.example.com/a?b=1&token=***",
      queryString: [
        { name: "b", value: "1" },
        { name: "token", value: "***" },
      ],
      postData: { mimeType: "application/json", text: "{}" },
    },
    response: {
      status: 201,
      content: { size: 5, mimeType: "image/png", text: "AAAA", encoding: "base64" },
      redirectURL: "/b",
    },
    timings: { blocked: 1, connect: 2, send: 0, wait: 7, receive: 2 },
    comment: "api local",
    _linkup: { id: 3 },
  });
});

test("an exchange that has no answer yet", () => {
  const [entry] = harOf(
    [
      {
        ...DETAILS,
        status: null,
        response_headers: null,
        response_body: null,
        request_body: null,
        timings: { queue: 0, connect: null, first_byte: null, total: null },
      },
    ],
    "1",
  ).log.entries;
  expect(entry).toMatchObject({ time: 0, response: { status: 0, headers: [] }, timings: { connect: -1 } });
});

test("what a hop changed of the headers", () => {
  expect(
    headerChanges(
      [
        ["Host", "a"],
        ["A", "1"],
        ["a", "2"],
        ["B", "1"],
      ],
      [
        ["host", "b"],
        ["A", "1, 2"],
        ["C", "3"],
      ],
    ),
  ).toEqual([
    { name: "host", value: "b", change: "changed", before: "a" },
    { name: "A", value: "1, 2", change: "same" },
    { name: "B", value: "1", change: "removed" },
    { name: "C", value: "3", change: "added" },
  ]);
  expect(headerChanges([["A", "1"]], null)).toEqual([{ name: "A", value: "1", change: "same" }]);
});

test("a HAR validator accepts it", async () => {
  const rows = [
    DETAILS,
    { ...DETAILS, status: null, response_headers: null, request_body: null, response_body: null },
  ];
  await expect(validated(JSON.parse(JSON.stringify(harOf(rows, "1.0.0"))))).resolves.toBeTruthy();
  await expect(validated({ log: { version: "1.2", entries: [{}] } })).rejects.toThrow();
});

test("the log is opened again from its HAR", () => {
  const routed = { override: "down", fallback: "local-refused" };
  const whole = {
    ...DETAILS,
    ...routed,
    session: "slim-gecko",
    session_by: "host",
    trace: "a".repeat(32),
    edge: null,
  };
  const [read] = parseHar(JSON.stringify(harOf([whole as ExchangeDetails], "1.0.0")));
  expect(read).toMatchObject({
    id: 1,
    time: DETAILS.time,
    method: "POST",
    client_host: "slim-gecko.example.com",
    target: "/a?b=1&token=***",
    service: "api",
    ...routed,
    at: "local",
    session: "slim-gecko",
    session_by: "host",
    trace: "a".repeat(32),
    status: 201,
    timings: { queue: 1, connect: 2, first_byte: 10, total: 12 },
    request_headers: DETAILS.request_headers,
    response_headers: DETAILS.response_headers,
    request_body: { text: "{}", cut: false },
    response_body: { base64: "AAAA", cut: false },
  });
});

test("a browser's HAR is read too, without its secrets, and a hostile one does no harm", () => {
  const entry = {
    startedDateTime: "2026-01-02T03:04:05.006Z",
    time: 30,
    request: {
      method: "GET",
      url: "https://example.com/x?token=Zq8fJ2kLmN4pR6tV",
      httpVersion: "h2",
      headers: [{ name: "Authorization", value: "Bearer Zq8fJ2kLmN4pR6tV" }],
      bodySize: -1,
    },
    response: { status: 200, headers: [], content: { size: 1, text: "x" }, bodySize: 1 },
    timings: { blocked: -1, connect: -1, send: 1, wait: 20, receive: 9 },
  };
  const hostile = {
    ...entry,
    _linkup: { session: 7, at: "moon", trace: "<x>", edge: { time: "x" }, id: -1 },
  };
  const entries = [
    { ...hostile, startedDateTime: "2027-01-01" },
    entry,
    {},
    null,
    { request: { url: "no URL" } },
  ];
  const found = parseHar(JSON.stringify({ log: { entries } }));
  expect(
    found.map(({ id, session, at, trace, edge, request_bytes }) => [
      id,
      session,
      at,
      trace,
      edge,
      request_bytes,
    ]),
  ).toEqual([
    [1, null, null, null, null, 0],
    [2, null, null, null, null, 0],
  ]);
  expect(found[0]).toMatchObject({ method: "GET", client_host: "example.com", status: 200 });
  expect(JSON.stringify(found)).not.toContain("Zq8fJ2kLmN4pR6tV");
  for (const wrong of ["", "null", "{}", '{"log":{"entries":{}}}']) expect(() => parseHar(wrong)).toThrow();
});
