import { expect, test } from "vitest";
import { parseEdgeMessage } from "./parse-edge-message.ts";

const report = {
  hop: "0123456789abcdef",
  lost: false,
  time: 1,
  protocol: "HTTP/2",
  secure: true,
  method: "GET",
  host: "slim-gecko.example.com",
  target: "/",
  session_by: "host",
  service: "web",
  at: "remote",
  url: "https://web.example.com/",
  status: 200,
  failure: null,
  first_byte: 1,
  request_bytes: null,
  response_bytes: null,
  trace: null,
  sender: null,
  request_headers: [],
  sent_headers: null,
  service_headers: null,
  response_headers: [],
};

test("a report that is not valid takes no other away", () => {
  const strange = { ...report, request_headers: [["x".repeat(1_001), "1"]] };
  const message = JSON.stringify({ reports: [strange, report, null], dropped: 1 });
  expect(parseEdgeMessage(message)).toEqual({ reports: [report], dropped: 3 });
});

test("the Worker's clock", () => {
  expect(parseEdgeMessage('{"echo":1.5,"now":2}')).toEqual({ echo: 1.5, now: 2 });
});

test.each([
  undefined,
  "",
  "[]",
  "{",
  '{"reports":{},"dropped":0}',
  '{"reports":[],"dropped":-1}',
  '{"echo":"1","now":2}',
])("%j is no message", (message) => expect(parseEdgeMessage(message)).toBeUndefined());
