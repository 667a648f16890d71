/** What a stranger tries with the local server over HTTP/2, while others use it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorCode, Flag, FrameType, Setting } from "../../local-server/http2/frames.ts";
import { FrameClient } from "../integration/local-server/frame-client.ts";
import { connectHttp2, type TestClient } from "../integration/proxy/clients.ts";
import { APP, type System, startSystem } from "../integration/proxy/system.ts";
import { block, frame, numbers, settings } from "../support/http2-frames.ts";

/** Bytes of memory that no attack may take beyond what a busy server has anyway. */
const LIMIT = 120e6;

const LARGE = Buffer.alloc(1_000_000);

let system: System;
let other: TestClient;
let memory = 0;
beforeAll(async () => {
  system = await startSystem();
  system.app.handler = (request, response) => {
    request.resume();
    response.end(request.headers["x-large"] ? LARGE : "small");
  };
  other = connectHttp2(system);
  for (let i = 0; i < 50; i++) await other.request({ host: APP });
  memory = system.memory();
});
afterAll(async () => {
  other?.close();
  await system?.stop();
});

const attacker = (first?: Buffer) =>
  FrameClient.connect(system.port, { authority: APP, ...(first && { first }) });

/** Another client is served, and the server is no larger than that. */
async function unharmed(): Promise<void> {
  expect((await other.request({ host: APP })).status).toBe(200);
  expect(system.memory() - memory).toBeLessThan(LIMIT);
}

/** Sends until the connection ends, and returns why it did. */
async function flood(client: FrameClient, make: (i: number) => Buffer[], most: number): Promise<number> {
  for (let i = 0; i < most && !client.closed; i++) {
    client.send(...make(i));
    if (i % 100 === 99) await unharmed();
  }
  return client.goAway();
}

const { DATA, HEADERS, PING, RST_STREAM, WINDOW_UPDATE, CONTINUATION } = FrameType;

test("rapid reset: requests that are given up at once (CVE-2023-44487)", async () => {
  const client = await attacker();
  const request = (i: number) => [client.head(2 * i + 1), numbers(RST_STREAM, 2 * i + 1, ErrorCode.CANCEL)];
  expect(await flood(client, request, 5_000)).toBe(ErrorCode.ENHANCE_YOUR_CALM);
  await unharmed();
});

test("MadeYouReset: requests that the server is made to give up (CVE-2025-8671)", async () => {
  const client = await attacker();
  const request = (i: number) => [client.head(2 * i + 1), numbers(WINDOW_UPDATE, 2 * i + 1, 0)];
  expect(await flood(client, request, 5_000)).toBe(ErrorCode.ENHANCE_YOUR_CALM);
  await unharmed();
});

test("a header block without an end (CVE-2024-27316)", async () => {
  const client = await attacker();
  client.send(frame(HEADERS, 0, 1, block([":method: GET"])));
  const more = frame(CONTINUATION, 0, 1, block([`x: ${"y".repeat(10_000)}`]));
  expect(await flood(client, () => [more], 2_000)).toBe(ErrorCode.ENHANCE_YOUR_CALM);
  await unharmed();
});

test("small header blocks that become large ones", async () => {
  const client = await attacker();
  const pseudo = block([":method: GET", ":scheme: http", `:authority: ${APP}`, ":path: /"]);
  const indexed = Buffer.concat([Buffer.from([0x40]), block([`a: ${"v".repeat(4_000)}`]).subarray(1)]);
  for (let i = 0; i < 200; i++) {
    const bomb = Buffer.concat([pseudo, indexed, Buffer.alloc(12_000, 0xbe)]);
    client.send(frame(HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 2 * i + 1, bomb));
  }
  await client.until(() => client.ended(399), "the last answer");
  expect(client.heads(1)[0]).toContain(":status: 431");
  await unharmed();
});

test.each([
  ["PING", [frame(PING, 0, 0, "12345678")]],
  ["SETTINGS", [settings([Setting.INITIAL_WINDOW_SIZE, 1])]],
  ["empty DATA", [frame(DATA, 0, 1)]],
])("a flood of %s", async (_what, frames) => {
  const client = await attacker();
  client.send(client.head(1, { method: "POST" }));
  const many = Array.from({ length: 100 }, () => frames).flat();
  expect(await flood(client, () => many, 1_000)).toBe(ErrorCode.ENHANCE_YOUR_CALM);
  await unharmed();
});

test.each([
  ["takes no byte of them", settings([Setting.INITIAL_WINDOW_SIZE, 0])],
  ["takes one byte at a time", settings([Setting.INITIAL_WINDOW_SIZE, 1])],
  [
    "does not read",
    Buffer.concat([
      settings([Setting.INITIAL_WINDOW_SIZE, 0x7fff_ffff]),
      numbers(WINDOW_UPDATE, 0, 0x7fff_0000),
    ]),
  ],
])("a client that asks for 256 large responses and %s", async (_what, first) => {
  const client = await attacker(first);
  await client.settled();
  if (!_what.includes("byte")) client.socket.pause();
  for (let i = 0; i < 256; i++) client.send(client.head(2 * i + 1, { lines: ["x-large: 1"] }));
  for (let round = 0; round < 10; round++) {
    if (_what.includes("one byte"))
      for (let i = 0; i < 256; i++) client.send(numbers(WINDOW_UPDATE, 2 * i + 1, 1));
    await unharmed();
  }
  client.socket.destroy();
  await unharmed();
});

test("a client that asks for 256 large responses on each of 8 connections, and takes no byte of them", async () => {
  const clients: FrameClient[] = [];
  for (let n = 0; n < 8; n++) {
    const client = await attacker(settings([Setting.INITIAL_WINDOW_SIZE, 0]));
    clients.push(client);
    for (let i = 0; i < 256; i++) client.send(client.head(2 * i + 1, { lines: ["x-large: 1"] }));
    await client.until(() => client.heads(511).length > 0, "the head of the last response");
  }
  for (let round = 0; round < 10; round++) await unharmed();
  for (const { socket } of clients) socket.destroy();
  await unharmed();
});

test("pieces of a byte that a service does not read", async () => {
  system.app.handler = (request, response) => {
    if (request.method !== "POST") response.end();
  };
  const client = await attacker();
  await client.settled();
  const small = Buffer.concat(Array.from({ length: 1_000 }, () => frame(DATA, 0, 1, "x")));
  const streams = [1, 3, 5, 7];
  for (const stream of streams) client.send(client.head(stream, { method: "POST" }));
  for (let i = 0; i < 60; i++)
    for (const stream of streams) {
      for (let at = 5; at < small.length; at += 10) small.writeUInt32BE(stream, at);
      client.send(small);
    }
  await client.settled();
  await unharmed();
  client.socket.destroy();
});
