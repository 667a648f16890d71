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
  const strange = { ...report, request_headers: [0] };
  const lines = [["x".repeat(1_001), "1"]];
  const message = JSON.stringify({ lines, reports: [strange, report, null], dropped: 1 });
  expect(parseEdgeMessage(message)).toEqual({ reports: [report], dropped: 3 });
});

test("headers come to their places", () => {
  const sent = { ...report, request_headers: [1, 0], sent_headers: [1], response_headers: [0, 0] };
  const [a, b] = [
    ["a", "1"],
    ["b", "2"],
  ];
  expect(parseEdgeMessage(JSON.stringify({ lines: [a, b], reports: [sent], dropped: 0 }))).toEqual({
    reports: [{ ...report, request_headers: [b, a], sent_headers: [b], response_headers: [a, a] }],
    dropped: 0,
  });
});

test.each([1, -1, 0.5, "0"])("a report with a header at %j of one line is dropped", (place) => {
  const wrong = { ...report, service_headers: [place] };
  const message = JSON.stringify({ lines: [["a", "1"]], reports: [wrong, report], dropped: 0 });
  expect(parseEdgeMessage(message)).toEqual({ reports: [report], dropped: 1 });
});

test("a short message does not become a long one", () => {
  const often = { ...report, response_headers: Array(500).fill(0) };
  const message = JSON.stringify({ lines: [["a", "b".repeat(40_000)]], reports: [often], dropped: 0 });
  expect(parseEdgeMessage(message)).toEqual({ reports: [], dropped: 1 });
});

test("the Worker's clock", () => {
  expect(parseEdgeMessage('{"echo":1.5,"now":2}')).toEqual({ echo: 1.5, now: 2 });
});

test.each([
  undefined,
  "",
  "[]",
  "{",
  '{"lines":[],"reports":{},"dropped":0}',
  '{"lines":[],"reports":[],"dropped":-1}',
  '{"reports":[],"dropped":0}',
  '{"echo":"1","now":2}',
])("%j is no message", (message) => expect(parseEdgeMessage(message)).toBeUndefined());
