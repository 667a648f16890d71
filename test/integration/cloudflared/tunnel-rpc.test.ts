import { expect, test } from "vitest";
import {
  bootstrap,
  call,
  Method,
  messageReader,
  parseHeaders,
  returnNothing,
  returnRefused,
  returnRegistered,
  returnServer,
  serializeHeaders,
} from "./tunnel-rpc.ts";

const registration = {
  account: "account",
  secret: Buffer.alloc(32, 7).toString("base64"),
  tunnel: "0f6b5f0e-7c1f-4a65-9d3e-0123456789ab",
  connection: 3,
  arch: "linux_amd64",
};

test("messages are read as they were written, however the stream is cut", () => {
  const stream = Buffer.concat([
    bootstrap(0),
    call(1, Method.register, registration),
    returnServer(0),
    returnRegistered(1, Buffer.alloc(16, 1), "fra08"),
    returnRefused(2, "Unauthorized: Failed to get tunnel", true),
    call(3, Method.unregister),
    returnNothing(3),
  ]);
  for (const size of [1, 7, 8, stream.length]) {
    const read = messageReader();
    const messages = [];
    for (let at = 0; at < stream.length; at += size) messages.push(...read(stream.subarray(at, at + size)));
    expect(messages).toEqual([
      { kind: "bootstrap", question: 0 },
      { kind: "call", question: 1, method: 0, registration },
      { kind: "return", answer: 0 },
      { kind: "return", answer: 1, location: "fra08" },
      { kind: "return", answer: 2, refusal: "Unauthorized: Failed to get tunnel", retry: true },
      { kind: "call", question: 3, method: 1 },
      { kind: "return", answer: 3 },
    ]);
  }
});

/** By hand, from the layout of rpc.capnp: Message{bootstrap{questionId: 5}} in one segment of five words. */
test("a bootstrap has the bytes of its schema", () => {
  const words = [
    [0, 5],
    [0x00000000, 0x00010001],
    [8, 0],
    [0x00000000, 0x00010001],
    [5, 0],
    [0, 0],
  ];
  const bytes = Buffer.alloc(words.length * 8);
  for (const [index, word] of words.flat().entries()) bytes.writeUInt32LE(word, index * 4);
  expect(bootstrap(5).toString("hex")).toBe(bytes.toString("hex"));
});

test("headers, several of one name and any bytes included", () => {
  const headers: [string, string][] = [
    ["set-cookie", "a=1; Path=/"],
    ["set-cookie", "b=2"],
    ["x-latin", "caf\u00e9"],
  ];
  expect(parseHeaders(serializeHeaders(headers))).toEqual(headers);
});
