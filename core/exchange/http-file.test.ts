import { expect, test } from "vitest";
import type { ExchangeDetails } from "../api/request-log-api.ts";
import { parseHttpFile, printHttpFile } from "./http-file.ts";

const EXCHANGE = {
  id: 12,
  method: "POST",
  secure: true,
  client_host: "slim-gecko.example.com",
  target: "/api//users?a=%7B&b",
  request_headers: [
    ["Host", "slim-gecko.example.com"],
    ["Content-Length", "9"],
    ["Content-Type", "application/json"],
    ["Authorization", "Bearer ***"],
  ],
  request_body: { text: '{"a":\n1}', cut: false },
  request_bytes: 9,
} as unknown as ExchangeDetails;

test("what is written can be read, and sent by other clients", () => {
  const text = printHttpFile(EXCHANGE);
  expect(text).toBe(`### Request 12 of Linkup's log
# Each *** is a secret. Linkup sends it as it was, but only to where it went before.
POST https://slim-gecko.example.com/api//users?a=%7B&b HTTP/1.1
Content-Type: application/json
Authorization: Bearer ***

{"a":
1}
`);
  expect(parseHttpFile(text)).toEqual({
    method: "POST",
    url: "https://slim-gecko.example.com/api//users?a=%7B&b",
    target: "/api//users?a=%7B&b",
    headers: [
      ["Content-Type", "application/json"],
      ["Authorization", "Bearer ***"],
    ],
    body: '{"a":\n1}',
  });
});

test("what others write", () => {
  expect(parseHttpFile("@base = 1\n\n// a\nhttp://localhost:3000?a=1\r\nA:b\r\n\r\n### next\nGET /")).toEqual(
    {
      method: "GET",
      url: "http://localhost:3000?a=1",
      target: "/?a=1",
      headers: [["A", "b"]],
      body: null,
    },
  );
});

test.each([
  ["", "There is no request in it."],
  ["GET /a", "Line 1 is not a method and an http(s) URL: GET /a"],
  ["GET http://a.example/\nno header", "Line 2 is not a header: no header"],
])("%j: %s", (text, message) => expect(() => parseHttpFile(text)).toThrow(message));
