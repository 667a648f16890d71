/** Bodies that take their time, or are larger than memory should be. */
import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { protocols, type TestClient } from "./clients.ts";
import { APP, type System, startSystem, until } from "./system.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterEach(() => {
  system.app.handler = undefined;
});
afterAll(() => system.stop());

const MB = 1024 * 1024;
const LARGE = 50 * MB;
/** What the local server may take more while a large body waits: windows and socket buffers, not the body. */
const FLAT = 25 * MB;

describe.each(protocols)("%s", (_protocol, connect) => {
  let client: TestClient;
  beforeAll(() => {
    client = connect(system);
  });
  afterAll(() => client.close());

  test("SSE first byte: the head comes before any event, and events one by one, while the answer goes on", async () => {
    let service: ServerResponse | undefined;
    system.app.handler = (_request, response) => {
      service = response;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
    };
    const sent = client.send({ host: APP });
    let received = "";
    sent.onData((chunk) => (received += chunk));
    const { get } = await sent.head;
    expect(get("content-type")).toBe("text/event-stream");
    for (const event of ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]) {
      const before = received;
      service!.write(event);
      await until(() => received === before + event, "the event arrived");
    }
    service!.end();
    expect((await sent.result).complete).toBe(true);
  });

  test("SSE first byte: an event right behind the head does not wait for the next one", async () => {
    let service: ServerResponse | undefined;
    system.app.handler = (_request, response) => {
      service = response;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
    };
    const sent = client.send({ host: APP });
    let received = "";
    sent.onData((chunk) => (received += chunk));
    await until(() => received === "data: 1\n\n", "the event arrived, and the service is silent");
    expect(service!.writableEnded).toBe(false);
    service!.end();
    expect((await sent.result).complete).toBe(true);
  });

  test("both directions at the same time", async () => {
    system.app.handler = (request, response) => {
      response.writeHead(200);
      request.on("data", (chunk) => response.write(`echo ${chunk}`));
      request.on("end", () => response.end("bye"));
    };
    const sent = client.send({ host: APP, method: "POST", streaming: true });
    let received = "";
    sent.onData((chunk) => (received += chunk));
    for (const word of ["one", "two"]) {
      sent.body.write(word);
      await until(() => received.endsWith(`echo ${word}`), "the echo arrived");
    }
    sent.body.end();
    expect((await sent.result).body.toString()).toBe("echo oneecho twobye");
  });

  test("50 MB down to a client that does not read: the service is held back, memory stays flat", async () => {
    let written = 0;
    let finished = false;
    system.app.handler = (_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, "x");
      response.writeHead(200, { "content-length": LARGE });
      const write = () => {
        while (written < LARGE) {
          written += chunk.length;
          if (!response.write(chunk)) return response.once("drain", write);
        }
        return response.end(() => (finished = true));
      };
      write();
    };
    const before = system.memory();
    const sent = client.send({ host: APP });
    sent.pause();
    await sent.head;
    await settled(() => written);
    expect(written).toBeLessThan(LARGE);
    expect(finished).toBe(false);
    expect(system.memory() - before).toBeLessThan(FLAT);
    sent.resume();
    const { body, complete } = await sent.result;
    expect({ length: body.length, complete }).toEqual({ length: LARGE, complete: true });
    expect(system.memory() - before).toBeLessThan(2 * FLAT);
  });

  test("50 MB up to a service that does not read: the client is held back, memory stays flat", async () => {
    let release = () => {};
    let arrived = false;
    let length = 0;
    system.app.handler = (request, response) => {
      arrived = true;
      release = () => {
        request.on("data", (chunk) => (length += chunk.length));
        request.on("end", () => response.end(String(length)));
      };
    };
    const sent = client.send({ host: APP, method: "POST", streaming: true });
    const before = system.memory();
    const chunk = Buffer.alloc(64 * 1024, "x");
    let written = 0;
    const write = () => {
      while (written < LARGE) {
        written += chunk.length;
        if (!sent.body.write(chunk)) {
          sent.body.once("drain", write);
          return;
        }
      }
      sent.body.end();
    };
    write();
    await until(() => arrived, "the request arrived");
    await settled(() => written);
    expect(written).toBeLessThan(LARGE);
    expect(system.memory() - before).toBeLessThan(FLAT);
    release();
    expect((await sent.result).body.toString()).toBe(String(LARGE));
    expect(system.memory() - before).toBeLessThan(2 * FLAT);
  });

  test("200 answers at once, each its own bytes, to clients of different pace", async () => {
    const bytesOf = (path: string) => {
      const seed = Number(path.slice(1));
      return Buffer.alloc(20_000 + 997 * seed, `${seed}.`);
    };
    system.app.handler = (request, response) => {
      const bytes = bytesOf(request.url!);
      // In pieces that do not fall together with the reads of anybody.
      for (let at = 0; at < bytes.length; at += 7_001) response.write(bytes.subarray(at, at + 7_001));
      response.end();
    };
    const wrong: object[] = [];
    await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const path = `/${i}`;
        const sent = client.send({ host: APP, path });
        if (i % 3 === 0) {
          sent.pause();
          await sent.head;
          setTimeout(() => sent.resume(), i);
        }
        if (i % 10 === 9) {
          await sent.head;
          sent.abort();
          return;
        }
        const { status, body, complete } = await sent.result;
        const right = bytesOf(path);
        if (complete && body.equals(right)) return;
        const same = body.findIndex((byte, at) => byte !== right[at]);
        wrong.push({ path, status, complete, bytes: body.length, of: right.length, same });
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("a page of 300 files of 20 KB at once", async () => {
    const file = Buffer.alloc(20_000, "x");
    system.app.handler = (_request, response) =>
      response.writeHead(200, { "content-length": file.length }).end(file);
    const results = await Promise.all(Array.from({ length: 300 }, () => client.request({ host: APP })));
    expect(
      results.filter(({ status, complete, body }) => status === 200 && complete && body.equals(file)),
    ).toHaveLength(300);
  });
});

/** Waits until a number no longer grows. */
async function settled(read: () => number): Promise<void> {
  let last = -1;
  let since = Date.now();
  await until(() => {
    const now = read();
    if (now !== last) {
      last = now;
      since = Date.now();
    }
    return Date.now() - since > 300;
  }, "nothing moved any more");
}
