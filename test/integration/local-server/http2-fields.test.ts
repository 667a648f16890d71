import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { sendHead, takesLines } from "../../../local-server/http/http2-fields.ts";

test("lines are given to a Node that takes them", () => {
  const versions = ["22.15.1", "22.19.0", "22.20.0", "23.11.0", "24.6.0", "24.7.0", "24.21.0", "25.0.0"];
  expect(versions.filter(takesLines)).toEqual(["22.20.0", "24.7.0", "24.21.0", "25.0.0"]);
});

const LINES = [
  "Content-Type",
  "text/plain",
  "Set-Cookie",
  "a=1",
  "HTTP2-Settings",
  "AAMAAABk",
  "set-cookie",
  "b=2",
];

test.each([
  { asLines: true, more: ["X-Two", "1", "x-two", "2"], added: { "x-two": "1, 2" } },
  { asLines: false, more: ["X-Two", "1", "x-two", "2"], added: { "x-two": "1, 2" } },
  // Of what may have a single value, the first counts.
  { asLines: true, more: ["content-type", "text/html"], added: {} },
  { asLines: false, more: ["content-type", "text/html"], added: {} },
])("a response's head arrives: $more, sent as lines: $asLines", async ({ asLines, more, added }) => {
  const server = createServer().on("stream", (stream) => {
    sendHead(stream, 201, [...LINES, ...more], { sendDate: false }, asLines);
    stream.end("body");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const request = client.request().setEncoding("utf8");
  const [headers] = await once(request, "response");
  expect(Object.fromEntries(Object.entries(headers))).toEqual({
    ":status": 201,
    "content-type": "text/plain",
    "set-cookie": ["a=1", "b=2"],
    ...added,
  });
  expect(await request.toArray()).toEqual(["body"]);
  client.close();
  server.close();
});
