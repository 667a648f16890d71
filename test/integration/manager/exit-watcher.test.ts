import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { ExitWatcher } from "../../../manager/process/exit-watcher.ts";

const FOR_EVER = 3_600_000;
const watcher = new ExitWatcher();
afterEach(() => watcher.end());

async function listener() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

test("rings when the process at one of the addresses ends, and only then", async () => {
  const [one, two] = [await listener(), await listener()];
  const connected = [one, two].map(({ server }) => once(server, "connection") as Promise<[Socket]>);
  let rang = false;
  const waiting = watcher.wait(FOR_EVER, [one.port, two.port]).then(() => {
    rang = true;
  });
  const [[first], [second]] = (await Promise.all(connected)) as [[Socket], [Socket]];
  first.resume();
  await turn();
  expect(rang).toBe(false);
  second.destroy();
  await waiting;
  one.server.close();
  two.server.close();
});

test("rings for what ended while nobody waited, and once only", async () => {
  const { server, port } = await listener();
  const connected = once(server, "connection") as Promise<[Socket]>;
  await watcher.wait(20, [port]);
  const [socket] = await connected;
  server.close();
  socket.destroy();
  await once(server, "close");
  expect(await watcher.wait(FOR_EVER, [port])).toBe(true);
  expect(await watcher.wait(20, [port])).toBe(false);
});

test("holds on to its connections from one wait to the next", async () => {
  const { server, port } = await listener();
  let connections = 0;
  server.on("connection", () => connections++);
  for (let i = 0; i < 3; i++) await watcher.wait(20, [port]);
  expect(connections).toBe(1);
  server.close();
});

test("waits for the whole time while nothing listens", async () => {
  const { server, port } = await listener();
  server.close();
  await once(server, "close");
  const start = performance.now();
  await watcher.wait(100, [port]);
  expect(performance.now() - start).toBeGreaterThan(90);
});

test("is woken, also by what came while nobody waited, and once only", async () => {
  const waiting = watcher.wait(FOR_EVER, []);
  watcher.wake();
  await waiting;
  watcher.wake();
  await watcher.wait(FOR_EVER, []);
  const start = performance.now();
  await watcher.wait(50, []);
  expect(performance.now() - start).toBeGreaterThan(45);
});
