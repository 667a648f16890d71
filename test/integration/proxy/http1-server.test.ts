/** Clients of our HTTP/1 server that ask much and take little, and those that end in the middle. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Client } from "../../../local-server/downstream/client.ts";
import { Http1Server } from "../../../local-server/downstream/http1-server.ts";
import { Fields } from "../../../local-server/http/fields.ts";
import { rawSocket } from "./clients.ts";
import { until } from "./system.ts";

let serve: (client: Client) => void;
/** The requests so far. */
let clients: Client[] = [];
/** How often each of them was told that its client has gone. */
let gone: Map<Client, number>;
/** The server's sides of the connections. */
let sockets: Socket[] = [];
const server = new Http1Server((client) => {
  clients.push(client);
  client.onGone = () => gone.set(client, (gone.get(client) ?? 0) + 1);
  serve(client);
});
const listener = createServer({ allowHalfOpen: true }, (socket) => {
  sockets.push(socket);
  server.accept(socket);
});
let port = 0;

beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  port = (listener.address() as AddressInfo).port;
});
beforeEach(() => {
  clients = [];
  gone = new Map();
  sockets = [];
});
afterAll(() => {
  listener.close();
  for (const socket of sockets) socket.destroy();
});

const GET = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
/** More than the system keeps for a client that does not read. */
const MUCH = Buffer.alloc(16 * 1024 * 1024, "a");

/** Responds with these bytes at once. */
function respondWith(body: Buffer): (client: Client) => void {
  return (client) => {
    const headers = ["Content-Length", String(body.length)];
    client.respond({ status: 200, reason: "OK", headers, hasBody: true, length: body.length });
    client.write(body, () => {});
    client.end([]);
  };
}

/** A client that has sent this, and does not read before it is resumed. */
function unread(bytes: string): { socket: Socket; size: () => number; ended: Promise<boolean> } {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let size = 0;
  let error = false;
  socket.on("error", () => (error = true));
  const ended = new Promise<boolean>((resolve) => socket.once("close", () => resolve(!error)));
  socket.on("data", (chunk) => (size += chunk.length)).on("end", () => socket.end());
  socket.pause();
  socket.write(bytes, "latin1");
  return { socket, size: () => size, ended };
}

test("requests of a client that does not read its responses wait, and are all answered when it does", async () => {
  const body = Buffer.alloc(1_000, "b");
  serve = respondWith(body);
  const count = 50_000;
  const { socket, size } = unread(GET.repeat(count));
  await until(() => sockets[0]?.isPaused() === true, "the server reads no more");
  expect(clients.length).toBeLessThan(count);
  expect(sockets[0]!.writableLength).toBeLessThan(100_000);
  socket.resume();
  await until(() => clients.length === count && size() > count * body.length, "all were answered");
  socket.destroy();
});

test("a client that ends its side while its requests wait gets all responses", async () => {
  serve = respondWith(Buffer.alloc(1_000, "b"));
  const count = 20_000;
  const { socket, ended } = unread(GET.repeat(count));
  await until(() => clients.length > 0, "the first was answered");
  socket.end();
  socket.resume();
  expect(await ended).toBe(true);
  expect(clients).toHaveLength(count);
});

test("a response that its client reads slowly is not cut off, whatever the connection is closed for", async () => {
  serve = respondWith(MUCH);
  const closing = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
  for (const bytes of [GET, closing]) {
    clients = [];
    const { socket, size, ended } = unread(bytes);
    await until(() => clients.length === 1, "the request arrived");
    server.closeIdleConnections();
    // As if minutes passed.
    for (let n = 0; n < 100; n++) server.tick();
    socket.end();
    await new Promise((resolve) => setImmediate(resolve));
    server.closeIdleConnections();
    socket.resume();
    expect(await ended).toBe(true);
    expect(size()).toBeGreaterThan(MUCH.length);
    expect(gone.size).toBe(0);
  }
});

test("a client that goes before it has read a complete response is noticed once", async () => {
  serve = respondWith(MUCH);
  for (const reset of [true, false]) {
    clients = [];
    const { socket } = unread(GET);
    await until(() => clients.length === 1, "the request arrived");
    if (reset) socket.resetAndDestroy();
    else socket.destroy();
    await until(() => sockets.every((each) => each.destroyed), "the server has closed the connection");
    await new Promise((resolve) => setImmediate(resolve));
    expect(gone.get(clients[0]!)).toBe(1);
  }
});

test("an answered request whose body stops coming does not hold its connection for ever", async () => {
  serve = (client) => {
    client.read({ data() {}, end() {} });
    respondWith(Buffer.from("early"))(client);
  };
  const socket = rawSocket(port);
  socket.write("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\nabc");
  await until(() => socket.received().endsWith("early"), "the response arrived");
  const closed = new Promise((resolve) => socket.once("end", resolve));
  for (let n = 0; n < 100; n++) server.tick();
  await closed;
  socket.destroy();
});

test("a client that goes while a later request of its pipeline waits is noticed after it ended its side", async () => {
  serve = () => {};
  const socket = rawSocket(port);
  socket.write(GET + GET);
  socket.end();
  await until(() => socket.received() === "HTT", "the server knows of the end");
  respondWith(Buffer.from("one"))(clients[0]!);
  await until(() => socket.received().includes("oneH"), "the second waits");
  socket.destroy();
  await until(() => gone.get(clients[1]!) === 1, "the server saw it go");
  expect(gone.size).toBe(1);
});

test("what is written is given back once, whether it was sent or not", async () => {
  const given: number[] = [];
  let written = 0;
  const write = (client: Client, size: number) => {
    const n = written++;
    given[n] = 0;
    client.write(Buffer.alloc(size, "c"), () => given[n]!++);
  };
  for (const length of [undefined, 64 * 1024 * 1024]) {
    clients = [];
    serve = (client) => {
      const headers = length === undefined ? [] : ["Content-Length", String(length)];
      client.respond({ status: 200, reason: "OK", headers, hasBody: true, length });
      for (const size of [1, 0, 100_000, 8_192, 8_193]) write(client, size);
    };
    const { socket } = unread(GET);
    await until(() => clients.length === 1 && given.every((count) => count === 1), "all was sent");
    for (let n = 0; n < 200; n++) write(clients[0]!, n % 2 === 0 ? 100 : 100_000);
    socket.resetAndDestroy();
    await until(() => gone.get(clients[0]!) === 1, "the server saw it go");
    write(clients[0]!, 100);
    write(clients[0]!, 100_000);
    clients[0]!.end([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(given.filter((count) => count !== 1)).toEqual([]);
    expect(gone.get(clients[0]!)).toBe(1);
  }
});

test("nothing of a connection is left behind: no listeners, no timer", async () => {
  serve = respondWith(Buffer.from("ok"));
  const socket = rawSocket(port);
  for (let n = 1; n <= 20; n++) {
    socket.write(GET);
    await until(() => clients.length === n, "the request arrived");
  }
  const [side] = sockets;
  for (const name of ["data", "drain", "end", "error", "close"])
    expect(side!.listenerCount(name), name).toBeLessThan(4);
  socket.destroy();
  await until(() => side!.destroyed, "the server has closed the connection");
});

test("a head that does not come to its end: 408, however slowly it goes on; an idle connection is closed without a word", async () => {
  serve = respondWith(Buffer.from("ok"));
  const slow = rawSocket(port);
  const idle = rawSocket(port);
  for (const socket of [slow, idle]) socket.write(GET);
  await until(() => slow.received().endsWith("ok") && idle.received().endsWith("ok"), "both were answered");
  const ended = [slow, idle].map((socket) => new Promise((resolve) => socket.once("end", resolve)));
  const [side] = sockets.filter(({ remotePort }) => remotePort === slow.localPort);
  slow.write("GET / HTTP/1.1\r\n");
  for (let n = 0; n < 3; n++) {
    const read = side!.bytesRead;
    slow.write("X: y\r\n");
    await until(() => side!.bytesRead > read, "a line arrived");
    server.tick();
  }
  await ended[0];
  expect(slow.received()).toMatch(/okHTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/);
  for (let n = 0; n < 20; n++) server.tick();
  await ended[1];
  expect(idle.received().match(/HTTP/g)).toHaveLength(1);
  for (const socket of [slow, idle]) socket.destroy();
});

test("bytes behind a request for another protocol are held back, and arrive when it is switched", async () => {
  serve = () => {};
  const early = "e".repeat(300_000);
  const socket = rawSocket(port);
  socket.write(`${GET.slice(0, -2)}Connection: Upgrade\r\nUpgrade: other\r\n\r\n${early}`);
  await until(() => clients.length === 1 && sockets[0]!.isPaused(), "the server reads no more");
  const service = new PassThrough();
  let carried = 0;
  service.on("data", (chunk: Buffer) => (carried += chunk.length));
  const head = { status: 101, reason: "Switching Protocols", fields: new Fields([]) };
  clients[0]!.switch!(
    { ...head, hasBody: false, length: undefined },
    service as unknown as Socket,
    Buffer.from("hello"),
    undefined,
  );
  await until(() => carried === early.length && socket.received().includes("hello"), "all was carried");
  expect(socket.received()).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\n/);
  socket.destroy();
});

test("what HTTP/1.1 cannot carry is not sent", async () => {
  serve = () => {};
  const socket = rawSocket(port);
  socket.write(GET);
  await until(() => clients.length === 1, "the request arrived");
  const [client] = clients;
  const respond = (headers: string[]) =>
    client!.respond({ status: 200, reason: "OK", headers, hasBody: true, length: undefined });
  for (const value of ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\0b", "\x7f", "č"]) {
    expect(() => respond(["X", value])).toThrow("characters that HTTP/1.1 cannot carry");
    expect(() => client!.inform(103, ["Link", value])).toThrow("characters that HTTP/1.1 cannot carry");
  }
  respond(["X", "a"]);
  expect(() => client!.end(["T", "a\r\n\r\nHTTP/1.1 200 OK"])).toThrow("characters");
  client!.end(["T", "b"]);
  await until(() => socket.received().endsWith("0\r\nT: b\r\n\r\n"), "the response arrived");
  expect(socket.received().match(/HTTP\/1\.1/g)).toHaveLength(1);
  socket.destroy();
});
