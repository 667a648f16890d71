import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import {
  freeSpareBuffers,
  ServiceSocket,
  type TakeBytes,
} from "../../../local-server/upstream/service-socket.ts";

/** Sends this many pieces, one in each turn of the event loop, and returns how many reads they came in. */
async function receive(count: number, size: number, takeBytes: TakeBytes): Promise<number> {
  const server = createServer(async (socket) => {
    socket.setNoDelay(true);
    for (let i = 0; i < count; i++) {
      socket.write(Buffer.alloc(size, i));
      await turn();
    }
    socket.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = new ServiceSocket();
  let reads = 0;
  socket.takeBytes = (bytes, release) => {
    reads++;
    takeBytes(bytes, release);
  };
  socket.connect((server.address() as AddressInfo).port, "127.0.0.1").resume();
  await once(socket, "end");
  socket.destroy();
  server.close();
  return reads;
}

test("what is released is read into again", async () => {
  const places = new Set<number>();
  const reads = await receive(200, 10, (bytes, release) => {
    places.add(bytes.byteOffset);
    release();
  });
  expect(reads).toBeGreaterThan(100);
  expect(places.size).toBeLessThanOrEqual(2);
});

test("what nobody is done with stays as it is, and many small pieces hold little memory", async () => {
  const held: Buffer[] = [];
  const released: (() => void)[] = [];
  const reads = await receive(2_000, 10, (bytes, release) => {
    held.push(bytes);
    released.push(release);
  });
  expect(reads).toBeGreaterThan(1_000);
  const expected = Buffer.concat(Array.from({ length: 2_000 }, (_, i) => Buffer.alloc(10, i)));
  expect(Buffer.concat(held).equals(expected)).toBe(true);
  const memory = [...new Set(held.map(({ buffer }) => buffer))];
  expect(memory.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(20e6);
  for (const release of released) release();
});

test("more than are kept are there as well", async () => {
  const held: Buffer[] = [];
  const released: (() => void)[] = [];
  await receive(400, 65_536, (bytes, release) => {
    held.push(bytes);
    released.push(release);
  });
  const expected = Buffer.concat(Array.from({ length: 400 }, (_, i) => Buffer.alloc(65_536, i)));
  expect(Buffer.concat(held).equals(expected)).toBe(true);
  for (const release of released) release();
});

test("a long body comes in larger reads, as far as there are buffers for them", async () => {
  const held: Buffer[] = [];
  const released: (() => void)[] = [];
  await receive(60, 400_000, (bytes, release) => {
    held.push(bytes);
    released.push(release);
  });
  const longest = Math.max(...held.map(({ length }) => length));
  expect(longest).toBeGreaterThan(65_536);
  expect(longest).toBeLessThanOrEqual(262_144);
  const expected = Buffer.concat(Array.from({ length: 60 }, (_, i) => Buffer.alloc(400_000, i)));
  expect(Buffer.concat(held).equals(expected)).toBe(true);
  for (const release of released) release();
});

test("spare buffers are freed, and those in use keep their bytes", async () => {
  const held: Buffer[] = [];
  const released: (() => void)[] = [];
  await receive(20, 65_536, (bytes, release) => {
    held.push(bytes);
    released.push(release);
  });
  for (const release of released.slice(10)) release();
  freeSpareBuffers();
  const again = new Set<ArrayBufferLike>();
  await receive(20, 10, (bytes, release) => {
    again.add(bytes.buffer);
    release();
  });
  const expected = Buffer.concat(Array.from({ length: 20 }, (_, i) => Buffer.alloc(65_536, i)));
  expect(
    Buffer.concat(held.slice(0, 10)).equals(expected.subarray(0, Buffer.concat(held.slice(0, 10)).length)),
  ).toBe(true);
  expect(again.size).toBeLessThanOrEqual(2);
  for (const release of released.slice(0, 10)) release();
});
