/** The built local DNS as a process beside a real local server. */
import { createSocket } from "node:dgram";
import { type AddressInfo, connect, createServer } from "node:net";
import { decode, encode, type Packet } from "dns-packet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  localDnsBundle,
  newHome,
  type RunningServer,
  spawnBundle,
  startLocalServer,
} from "../local-server/harness.ts";

let server: RunningServer;
let dns: Awaited<ReturnType<typeof startDns>>;
/** A resolver of this machine: knows `www.example.com`, and nothing else. */
const other = createSocket("udp4");
const otherTcp = createServer();

beforeAll(async () => {
  server = await startLocalServer();
  await server.control("PUT", "/v1/leases/test", { ttl_ms: null });
  await put("slim-gecko");
  await new Promise<void>((resolve) => otherTcp.listen(0, "127.0.0.1", resolve));
  const { port } = otherTcp.address() as AddressInfo;
  await new Promise<void>((resolve) => other.bind(port, "127.0.0.1", resolve));
  other.on("message", (query, { port, address }) => other.send(elsewhere(query, false), port, address));
  otherTcp.on("connection", (socket) =>
    socket.on("data", (bytes) => socket.write(framed(elsewhere(bytes.subarray(2), true)))),
  );
  dns = await startDns(["--forward", `127.0.0.1:${port}`]);
});
afterAll(async () => {
  dns.child.kill("SIGTERM");
  other.close();
  otherTcp.close();
  await server[Symbol.asyncDispose]();
});

function put(name: string) {
  return server.control("PUT", `/v1/sessions/${name}`, {
    session: {
      session_token: "t",
      services: [{ name: "a", location: "http://localhost:1" }],
      domains: [
        { domain: "example.com", default_service: "a" },
        { domain: "api.Example.com", default_service: "a" },
      ],
    },
    origin_secret: null,
    config_path: null,
  });
}

async function startDns(args: string[], home = server.home) {
  const started = spawnBundle(await localDnsBundle(), home, ["--listen", "127.0.0.1:0", ...args]);
  const port = await new Promise<number>((resolve, reject) => {
    started.child.stderr!.on("data", () => {
      const found = /dns port (\d+)/.exec(started.log());
      if (found) resolve(Number(found[1]));
    });
    void started.ended.then(() => reject(new Error(started.log())));
  });
  return { ...started, port };
}

/** `big.example.com` is too long for UDP. */
function elsewhere(query: Buffer, tcp: boolean): Buffer {
  const { id, questions } = decode(query);
  const { name } = questions![0]!;
  const truncated = name === "big.example.com" && !tcp;
  const answers =
    name === "www.example.com" || name === "big.example.com"
      ? [{ type: "A", name, ttl: 9, data: "192.0.2.1" }]
      : [];
  return encode({
    type: "response",
    id,
    questions,
    flags: (truncated ? 1 << 9 : 0) | (answers.length > 0 ? 0 : 3),
    answers: truncated ? [] : answers,
  } as Packet);
}

function framed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function packet(name: string, type = "A", id = 1): Buffer {
  return encode({ type: "query", id, flags: 1 << 8, questions: [{ name, type: type as "A" }] });
}

function ask(bytes: Buffer, port = dns.port): Promise<ReturnType<typeof decode>> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => {
    socket.once("message", (answer) => {
      socket.close();
      resolve(decode(answer));
    });
    socket.send(bytes, port, "127.0.0.1");
  });
}

function askOverTcp(bytes: Buffer): Promise<ReturnType<typeof decode>> {
  const socket = connect(dns.port, "127.0.0.1");
  socket.write(framed(bytes));
  return new Promise((resolve) =>
    socket.once("data", (answer) => {
      socket.destroy();
      resolve(decode(answer.subarray(2)));
    }),
  );
}

describe("names", () => {
  test("of the sessions that run lead here, those of their neighbours where they always did", async () => {
    expect((await ask(packet("slim-gecko.example.com"))).answers).toMatchObject([{ data: "127.0.0.1" }]);
    expect((await ask(packet("slim-gecko.api.example.com"))).answers).toMatchObject([{ data: "127.0.0.1" }]);
    expect((await ask(packet("www.example.com"))).answers).toMatchObject([{ data: "192.0.2.1" }]);
    expect(await ask(packet("nowhere.test"))).toMatchObject({ rcode: "NXDOMAIN" });
  });

  test("come and go with their sessions", async () => {
    const found = async () => (await ask(packet("fat-toad.example.com"))).answers!.length > 0;
    expect(await found()).toBe(false);
    await put("fat-toad");
    while (!(await found())) await new Promise((resolve) => setTimeout(resolve, 50));
    await server.control("DELETE", "/v1/sessions/fat-toad");
    while (await found()) await new Promise((resolve) => setTimeout(resolve, 50));
  });

  test("a question of many at once gets each its own answer", async () => {
    const socket = createSocket("udp4");
    const got = new Map<number, string>();
    socket.on("message", (bytes) => {
      const { id, answers } = decode(bytes);
      got.set(id!, (answers![0] as { data: string }).data);
    });
    for (let id = 1; id <= 300; id++)
      socket.send(
        packet(id % 3 ? "slim-gecko.example.com" : "www.example.com", "A", id),
        dns.port,
        "127.0.0.1",
      );
    while (got.size < 300) await new Promise((resolve) => setTimeout(resolve, 10));
    socket.close();
    for (const [id, data] of got) expect(data).toBe(id % 3 ? "127.0.0.1" : "192.0.2.1");
  });
});

describe("TCP", () => {
  test("several questions on one connection, in pieces", async () => {
    const socket = connect(dns.port, "127.0.0.1");
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk) => (bytes = Buffer.concat([bytes, chunk])));
    const all = Buffer.concat([
      framed(packet("slim-gecko.example.com", "A", 1)),
      framed(packet("www.example.com", "A", 2)),
      framed(packet("slim-gecko.example.com", "AAAA", 3)),
    ]);
    for (const byte of all) socket.write(Buffer.from([byte]));
    const answers: unknown[] = [];
    while (answers.length < 3) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
        const end = 2 + bytes.readUInt16BE(0);
        answers.push(decode(bytes.subarray(2, end)).answers![0]);
        bytes = bytes.subarray(end);
      }
    }
    socket.destroy();
    expect(answers).toMatchObject([{ data: "127.0.0.1" }, { data: "192.0.2.1" }, { data: "::1" }]);
  });

  test("an answer that is too long for UDP is cut there, and whole over TCP", async () => {
    expect(await ask(packet("big.example.com"))).toMatchObject({ flag_tc: true, answers: [] });
    expect(await askOverTcp(packet("big.example.com"))).toMatchObject({ answers: [{ data: "192.0.2.1" }] });
  });
});

test("what is malformed does not end it", async () => {
  const socket = createSocket("udp4");
  const valid = packet("slim-gecko.example.com");
  for (let round = 0; round < 2_000; round++) {
    const bytes = Buffer.from(valid.subarray(0, 1 + (round % valid.length)));
    for (let i = 0; i < 4; i++)
      bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
    socket.send(bytes, dns.port, "127.0.0.1");
  }
  const tcp = connect(dns.port, "127.0.0.1");
  tcp.on("error", () => {});
  tcp.end(Buffer.from([0xff, 0xff, 1, 2, 3]));
  expect((await ask(packet("slim-gecko.example.com"))).answers).toHaveLength(1);
  socket.close();
  expect(dns.log()).not.toContain("error:");
});

test("without a resolver what is not ours is refused", async () => {
  const alone = await startDns(["--forward", "none"]);
  expect(await ask(packet("www.example.com"), alone.port)).toMatchObject({ rcode: "REFUSED" });
  expect((await ask(packet("slim-gecko.example.com"), alone.port)).answers).toHaveLength(1);
  alone.child.kill("SIGTERM");
});

test("asked by whom it asks, it ends the circle", async () => {
  const first = await startDns(["--forward", "none"]);
  first.child.kill("SIGTERM");
  await first.ended;
  const itself = await startDns([
    "--listen",
    `127.0.0.1:${first.port}`,
    "--forward",
    `127.0.0.1:${first.port}`,
  ]);
  expect(await ask(packet("www.example.com"), itself.port)).toMatchObject({ rcode: "SERVFAIL" });
  itself.child.kill("SIGTERM");
});

test("without a local server no name is ours, and it goes on", async () => {
  const { port } = otherTcp.address() as AddressInfo;
  const alone = await startDns(["--forward", `127.0.0.1:${port}`], newHome());
  expect(await ask(packet("slim-gecko.example.com"), alone.port)).toMatchObject({ rcode: "NXDOMAIN" });
  alone.child.kill("SIGTERM");
});

test("a port that is taken is an error that says so", async () => {
  await expect(startDns(["--listen", `127.0.0.1:${dns.port}`])).rejects.toThrow(/cannot start: .*EADDRINUSE/);
});
