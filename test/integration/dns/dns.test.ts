/** The built local DNS as a process beside a real local server. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { decode, encode, type Packet } from "dns-packet";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { memory } from "../../bench/proxy/cpu.ts";
import { randomNumbers } from "../../support/random-numbers.ts";
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
  other.on("message", (query, { port, address }) => {
    const answer = elsewhere(query, false);
    if (answer) other.send(answer, port, address);
  });
  otherTcp.on("connection", (socket) =>
    socket
      .on("error", () => {})
      .on("data", (bytes) => {
        const answer = elsewhere(bytes.subarray(2), true);
        if (answer) socket.write(framed(answer));
      }),
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

/** `big.example.com` is too long for UDP. What cannot be read, as a name that points into the id, has no answer. */
function elsewhere(query: Buffer, tcp: boolean): Buffer | undefined {
  let read: ReturnType<typeof decode>;
  try {
    read = decode(query);
  } catch {
    return undefined;
  }
  const { id, questions } = read;
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

function askOverTcp(bytes: Buffer, port = dns.port): Promise<ReturnType<typeof decode>> {
  const socket = connect(port, "127.0.0.1");
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
    // UDP loses packets when nobody has time for them: who asks does so again, as every resolver.
    for (; got.size < 300; await sleep(1_000))
      for (let id = 1; id <= 300; id++) {
        const name = id % 3 ? "slim-gecko.example.com" : "www.example.com";
        if (!got.has(id)) socket.send(packet(name, "A", id), dns.port, "127.0.0.1");
      }
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

describe("what is malformed does not end it", () => {
  const PACKETS = 30_000;

  /** Queries that are nearly right: cut, with bits turned, with counts that lie, with names that lead to themselves. */
  function* malformed(): Generator<Buffer> {
    const seed = Date.now() | 0;
    onTestFailed(() => console.log(`seed ${seed}`));
    const random = randomly(seed);
    const bases = [
      "slim-gecko.example.com",
      "www.example.com",
      `${"a".repeat(63)}.${"b.".repeat(60)}example.com`,
      ".",
    ].flatMap((name) => ["A", "AAAA", "SOA", "TXT", "ANY", "OPT"].map((type) => packet(name, type)));
    for (let i = 0; i < PACKETS; i++) {
      const bytes = Buffer.concat([bases[random(bases.length)]!, Buffer.alloc(random(40), random(256))]);
      for (let turns = random(6); turns > 0; turns--) bytes[random(bytes.length)] = random(256);
      // A pointer to somewhere, itself included, in place of a label.
      if (random(3) === 0) bytes.writeUInt16BE(0xc000 | random(bytes.length), 12 + random(bytes.length - 13));
      if (random(4) === 0) bytes.writeUInt16BE(random(65_536), 4 + 2 * random(4));
      yield random(3) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    }
  }

  const stillAnswers = async ({ port, log, child } = dns) => {
    expect((await ask(packet("slim-gecko.example.com"), port)).answers).toHaveLength(1);
    expect((await askOverTcp(packet("slim-gecko.example.com"), port)).answers).toHaveLength(1);
    expect(log()).not.toContain("error:");
    expect(child.exitCode).toBeNull();
  };

  test(`${PACKETS} packets over UDP`, async () => {
    const socket = createSocket("udp4");
    // Answers are read, so that nothing is lost for want of room.
    socket.on("message", () => {});
    let sent = 0;
    for (const bytes of malformed()) {
      await new Promise<void>((resolve) => socket.send(bytes, dns.port, "127.0.0.1", () => resolve()));
      if (++sent % 5_000 === 0) await stillAnswers();
    }
    socket.close();
  });

  test(`${PACKETS} messages over TCP, in pieces, some of them with a length that lies`, async () => {
    // Nothing is asked elsewhere, where what is hard to read has no answer and is waited for.
    const alone = await startDns(["--forward", "none"]);
    const random = randomly(1);
    let connection: Socket | undefined;
    let sent = 0;
    for (const bytes of malformed()) {
      if (!connection || connection.destroyed || sent % 100 === 0) {
        if (connection && !connection.destroyed) await once(connection.end(), "close");
        connection = connect(alone.port, "127.0.0.1").resume();
        connection.on("error", () => {});
      }
      const message = framed(bytes);
      // It waits for what never comes, and takes what follows for it.
      if (random(50) === 0) message.writeUInt16BE(random(65_536), 0);
      const cut = random(message.length);
      for (const piece of [message.subarray(0, cut), message.subarray(cut)])
        if (!connection.write(piece)) await once(connection, "drain");
      if (++sent % 5_000 === 0) await stillAnswers(alone);
    }
    connection?.destroy();
    await stillAnswers(alone);
    alone.child.kill("SIGTERM");
  });

  /** Numbers below `limit`, the same ones for the same seed. */
  function randomly(seed: number): (limit: number) => number {
    const next = randomNumbers(seed);
    return (limit) => Math.floor(next() * limit);
  }
});

test("a client that asks and never reads does not fill the memory", async () => {
  const before = memory(dns.child.pid!);
  const socket = connect(dns.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  const many = Buffer.concat(
    Array.from({ length: 1_000 }, (_, id) => framed(packet("slim-gecko.example.com", "ANY", id))),
  );
  let written = 0;
  // Until nothing more is taken.
  for (; written < 1_000; written++)
    if (!socket.write(many) && !(await Promise.race([once(socket, "drain"), sleep(1_000)]))) break;
  expect(written).toBeLessThan(1_000);
  // All answers together would be several times that.
  expect(memory(dns.child.pid!) - before).toBeLessThan(100e6);
  socket.destroy();
  expect((await ask(packet("slim-gecko.example.com"))).answers).toHaveLength(1);
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
