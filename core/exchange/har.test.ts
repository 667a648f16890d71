import { expect, test } from "vitest";
import type { ExchangeDetails } from "../api/request-log-api.ts";
import { harOf } from "./har.ts";
import { headerChanges } from "./header-changes.ts";

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
