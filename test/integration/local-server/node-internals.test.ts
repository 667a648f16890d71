import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer as createTcp, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import {
  flatten,
  limitHeapGrowth,
  optimizeSooner,
  ReadFirstSocket,
  rawHeaderLines,
  tryConnecting,
  trySocket,
  writeLatin1,
} from "../../../local-server/node-internals.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

test("this V8 knows the flags that limit the heap and choose compilers, and takes them without a word", () => {
  const options = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8", maxBuffer: 1e7 });
  for (const flag of ["semi-space-growth-factor", "heap-growing-percent", "maglev"])
    expect(options).toMatch(new RegExp(`--${flag.replace(/-/g, "[-_]")}\\b`));
  expect(limitHeapGrowth).not.toThrow();
  expect(optimizeSooner).not.toThrow();
});

test("a flattened string is the same string", () => {
  for (const rope of ["", "a".repeat(20) + "b".repeat(20)]) expect(flatten(rope)).toBe(rope);
});

test("latin1 is written, also where Node has no call of its own for it", () => {
  const buffer = Buffer.alloc(4);
  writeLatin1(buffer, "\xe9!", 1);
  expect([...buffer]).toEqual([0, 0xe9, 0x21, 0]);
  const plain = Object.assign(Buffer.alloc(2), { latin1Write: undefined }) as unknown as Buffer;
  writeLatin1(plain, "\xff", 1);
  expect([...plain]).toEqual([0, 0xff]);
});

test("raw header lines, or what Node made of them", () => {
  expect(rawHeaderLines({}, ["A", "1"])).toEqual(["A", "1"]);
  expect(rawHeaderLines({ ":status": 200, "set-cookie": ["a", "b"] }, undefined)).toEqual([
    ...[":status", "200"],
    ...["set-cookie", "a", "set-cookie", "b"],
  ]);
});

test("what a service said before it hung up is read before its reset is reported", async () => {
  const server = createTcp({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {});
    socket.write("refused");
    // Unread bytes make the kernel reset the connection.
    setImmediate(() => socket.destroy());
  }).listen(0, "127.0.0.1");
  open.push(server);
  await once(server, "listening");
  const socket = new ReadFirstSocket();
  const events: string[] = [];
  socket.on("data", (chunk) => events.push(String(chunk)));
  socket.on("error", () => events.push("error"));
  socket.connect((server.address() as AddressInfo).port, "127.0.0.1");
  const more = setInterval(() => socket.write("body".repeat(10_000)), 1);
  await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(more);
  expect(events[0]).toBe("refused");
});

test.each([
  ["Node's own handle", tryConnecting],
  ["a socket", trySocket],
])(
  "a connection is tried with %s: somebody listens, nobody does, and one that is given up tells nothing",
  async (_, ask) => {
    const asked = (address: string, port: number) =>
      new Promise<boolean>((resolve) => void ask(address, port, resolve));
    const server = createTcp().listen(0, "127.0.0.1");
    open.push(server);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const accepted = once(server, "connection");
    expect(await asked("127.0.0.1", port)).toBe(true);
    const [connection] = (await accepted) as [Socket];
    connection.on("error", () => {}).resume();
    await once(connection, "close");
    const told: boolean[] = [];
    ask("127.0.0.1", port, (accepts) => told.push(accepts))();
    await new Promise((resolve) => server.close(resolve));
    expect(await asked("127.0.0.1", port)).toBe(false);
    expect(await asked("::1", port)).toBe(false);
    expect(told).toEqual([]);
  },
);

test("this Node has the handle", () => {
  expect(process).toHaveProperty("binding");
  expect((process as unknown as { binding(name: string): object }).binding("tcp_wrap")).toHaveProperty("TCP");
});
