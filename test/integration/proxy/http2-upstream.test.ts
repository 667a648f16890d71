/** Services that speak HTTP/2: the same promises as for those that speak HTTP/1.1. */
import type { ClientRequest } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectHttp2, protocols, rawSocket, type TestClient } from "./clients.ts";
import { breakOffWith, echo, Http2Service } from "./http2-service.ts";
import { APP, putSession, type System, startSystem, until } from "./system.ts";

let system: System;
let service: Http2Service;

beforeAll(async () => {
  system = await startSystem({ env: { NODE_OPTIONS: `--import ${new URL("clock.mjs", import.meta.url)}` } });
  service = await Http2Service.start();
  await routeTo(service);
});
afterEach(() => {
  service.handler = echo;
});
afterAll(async () => {
  service.close();
  await system.stop();
});

const routeTo = ({ port }: Http2Service) =>
  putSession(system, { services: { location: `https://localhost:${port}` } });

const MB = 1024 * 1024;

describe.each(protocols)("%s", (protocol, connect) => {
  let client: TestClient;
  beforeAll(() => {
    client = connect(system);
  });
  afterAll(() => client.close());

  const get = (path = "/", headers: string[] = []) => client.request({ host: APP, path, headers });

  test("the request: path byte for byte, headers, cookies in one line, none of the connection's", async () => {
    const path = "/a//b/../%2e%2E/%C3%BC?q=%20&&x=1?";
    const hop =
      protocol === "HTTP/1.1"
        ? ["Connection", "keep-alive, X-Hop", "X-Hop", "1", "HTTP2-Settings", "AAMAAABk"]
        : [];
    const headers = ["X-Two", "1", "X-Two", "2", "Cookie", "a=1; b=2", "TE", "trailers", ...hop];
    const { status, body } = await get(path, headers);
    expect(status).toBe(200);
    const { raw } = JSON.parse(body.toString());
    const lines = raw.flatMap((value: string, i: number) => (i % 2 ? [[raw[i - 1], value]] : []));
    const all = (name: string) =>
      lines.filter(([n]: [string]) => n === name).map(([, v]: [string, string]) => v);
    expect(all(":path")).toEqual([path]);
    expect(all(":method")).toEqual(["GET"]);
    expect(all(":authority")).toEqual([`localhost:${service.port}`]);
    expect(all("x-two").join()).toBe("1,2");
    expect(all("cookie").join("; ")).toBe("a=1; b=2");
    expect(all("te")).toEqual(["trailers"]);
    expect(all("linkup-destination")).toEqual(["app"]);
    for (const name of ["host", "connection", "x-hop", "transfer-encoding", "upgrade", "http2-settings"])
      expect(all(name)).toEqual([]);
  });

  test.each(["POST", "PUT", "DELETE", "GET"])("%s with a body of known length", async (method) => {
    const { body } = await client.request({ host: APP, method, body: "hello" });
    expect(JSON.parse(body.toString()).body).toBe("hello");
  });

  test("an empty POST", async () => {
    const { body } = await client.request({ host: APP, method: "POST", body: "" });
    expect(JSON.parse(body.toString()).body).toBe("");
  });

  test("a body without a length, with trailers behind it", async () => {
    const http2 = protocol === "HTTP/2";
    const sent = client.send({
      host: APP,
      method: "POST",
      streaming: true,
      waitForTrailers: true,
      headers: ["Trailer", "X-Sum"],
    });
    if (http2) {
      const stream = sent.body as unknown as ServerHttp2Stream;
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }));
    } else (sent.body as ClientRequest).addTrailers({ "X-Sum": "7" });
    sent.body.write("one ");
    sent.body.end("two");
    const { body } = await sent.result;
    const seen = JSON.parse(body.toString());
    expect(seen.body).toBe("one two");
    expect(seen.trailers).toEqual(["x-sum", "7"]);
  });

  test("the answer: two Set-Cookie, duplicates, trailers", async () => {
    service.handler = (stream) => {
      stream.respond(
        { ":status": 201, "set-cookie": ["a=1", "b=2"], "x-two": ["1", "2"], trailer: "x-sum" },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }));
      stream.end("body");
    };
    const result = await get();
    expect(result.status).toBe(201);
    expect(result.all("set-cookie")).toEqual(["a=1", "b=2"]);
    expect(result.all("x-two").join()).toMatch(/^1, ?2$|^1,2$/);
    expect(result.body.toString()).toBe("body");
    expect(result.trailers.map((text) => text.toLowerCase())).toEqual(["x-sum", "7"]);
    expect(result.complete).toBe(true);
  });

  test.each([204, 304])("%i has no body", async (status) => {
    service.handler = (stream) => stream.respond({ ":status": status, etag: '"1"' }, { endStream: true });
    const result = await get();
    expect([result.status, result.body.length, result.complete]).toEqual([status, 0, true]);
  });

  test("HEAD keeps the length of what there would be", async () => {
    service.handler = (stream) =>
      stream.respond({ ":status": 200, "content-length": "1234" }, { endStream: true });
    const result = await client.request({ host: APP, method: "HEAD" });
    expect([result.get("content-length"), result.body.length, result.complete]).toEqual(["1234", 0, true]);
  });

  test("200 without a body", async () => {
    service.handler = (stream) => stream.respond({ ":status": 200 }, { endStream: true });
    const result = await get();
    expect([result.status, result.body.length, result.complete]).toEqual([200, 0, true]);
  });

  test("103 before the answer", async () => {
    service.handler = (stream, ...rest) => {
      stream.additionalHeaders({ ":status": 103, link: "</a.css>; rel=preload" });
      echo(stream, ...rest);
    };
    const sent = client.send({ host: APP });
    expect((await sent.result).status).toBe(200);
    expect(sent.informations.map(({ status }) => status)).toEqual([103]);
  });

  test("12 and 40 KB of headers, both ways", async () => {
    for (const size of [12_000, 40_000]) {
      const value = "x".repeat(size);
      service.handler = (stream, headers) => {
        stream.respond({ ":status": 200, "x-large": headers["x-large"]! }, { endStream: true });
      };
      expect((await get("/", ["X-Large", value])).get("x-large")).toBe(value);
    }
  });

  test("events come one by one, and the head before any of them", async () => {
    let stream: ServerHttp2Stream | undefined;
    service.handler = (opened) => {
      stream = opened;
      stream.respond({ ":status": 200, "content-type": "text/event-stream" });
    };
    const sent = client.send({ host: APP });
    let received = "";
    sent.onData((chunk) => (received += chunk));
    expect((await sent.head).get("content-type")).toBe("text/event-stream");
    for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
      const before = received;
      stream!.write(event);
      await until(() => received === before + event, "the event arrived");
    }
    stream!.end();
    expect((await sent.result).complete).toBe(true);
  });

  test("50 MB down to a client that does not read: the service is held back, memory stays flat", async () => {
    let written = 0;
    service.handler = (stream) => {
      stream.respond({ ":status": 200 });
      const more = () => {
        while (written < 50 * MB) {
          written += 65_536;
          if (!stream.write(Buffer.alloc(65_536))) return void stream.once("drain", more);
        }
        stream.end();
      };
      more();
    };
    const before = system.memory();
    const sent = client.send({ host: APP });
    sent.pause();
    await sent.head;
    let last = -1;
    await until(async () => {
      if (written === last) return true;
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return false;
    }, "the service is held back");
    expect(written).toBeLessThan(25 * MB);
    expect(system.memory() - before).toBeLessThan(25 * MB);
    sent.resume();
    const { body, complete } = await sent.result;
    expect([body.length, complete]).toEqual([50 * MB, true]);
  });

  test("50 MB up to a service that does not read: the client is held back, memory stays flat", async () => {
    let received = 0;
    let stream: ServerHttp2Stream | undefined;
    service.handler = (opened) => {
      stream = opened.pause();
    };
    const before = system.memory();
    const sent = client.send({ host: APP, method: "POST", streaming: true });
    let written = 0;
    let blocked = false;
    const more = () => {
      blocked = false;
      while (written < 50 * MB) {
        written += 65_536;
        if (!sent.body.write(Buffer.alloc(65_536))) {
          blocked = true;
          sent.body.once("drain", more);
          return;
        }
      }
      sent.body.end();
    };
    more();
    let last = -1;
    await until(async () => {
      if (stream && blocked && written === last) return true;
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return false;
    }, "the client is held back");
    expect(written).toBeLessThan(25 * MB);
    expect(system.memory() - before).toBeLessThan(25 * MB);
    stream!.on("data", (chunk: Buffer) => (received += chunk.length));
    stream!.on("end", () => stream!.respond({ ":status": 200 }, { endStream: true }));
    stream!.resume();
    expect((await sent.result).status).toBe(200);
    expect(received).toBe(50 * MB);
  });

  test("a reset before the head: 502, and the service has seen the request at most twice", async () => {
    const before = service.streams;
    service.handler = (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    const { status, body } = await get();
    expect(status).toBe(502);
    expect(body.toString()).toContain("INTERNAL_ERROR");
    expect(service.streams - before).toBeLessThanOrEqual(2);
  });

  test.each([
    ["INTERNAL_ERROR", "of unknown length", undefined],
    ["CANCEL", "of unknown length", undefined],
    ["NO_ERROR", "that is not complete", 1000],
  ] as const)(
    "a reset with %s in a body %s: the client sees a broken answer",
    async (code, _body, length) => {
      const wild = await breakOffWith(constants[`NGHTTP2_${code}`], length);
      await putSession(system, {
        services: { location: `https://localhost:${(wild.address() as AddressInfo).port}` },
      });
      const result = await get();
      await routeTo(service);
      wild.close();
      expect(result.body.toString()).toBe("half");
      expect(result.complete).toBe(false);
    },
  );

  test("a connection lost in the body: the client sees a broken answer, and the next request a new connection", async () => {
    service.handler = (stream) => {
      stream.respond({ ":status": 200, "content-length": "1000" });
      stream.write("half");
      setTimeout(() => stream.session!.destroy(), 50);
    };
    expect((await get()).complete).toBe(false);
    service.handler = echo;
    expect((await get()).status).toBe(200);
  });

  test("an abort cancels the request at the service, before and after the head, 200 times", async () => {
    service.handler = (stream, headers) => {
      if (headers[":path"] === "/after") stream.respond({ ":status": 200 });
    };
    for (let round = 0; round < 4; round++) {
      const sent = Array.from({ length: 50 }, (_, n) =>
        client.send({ host: APP, path: n % 2 ? "/after" : "/before" }),
      );
      await until(() => service.active === 50, "all requests are at the service");
      for (const { abort } of sent) abort();
      await until(() => service.active === 0, "all requests have ended at the service");
    }
    service.handler = echo;
    expect((await get()).status).toBe(200);
  });

  test("an answer before the request's body is complete", async () => {
    service.handler = (stream) => {
      stream.respond({ ":status": 413 }, { endStream: false });
      stream.end("too large");
    };
    const sent = client.send({ host: APP, method: "POST", streaming: true });
    sent.body.on("error", () => {});
    sent.body.write(Buffer.alloc(1000));
    const head = await sent.head;
    expect(head.status).toBe(413);
    sent.body.end();
    expect((await sent.result).body.toString()).toBe("too large");
  });
});

describe("connections", () => {
  let client: TestClient;
  beforeAll(() => {
    client = protocols[1]![1](system);
  });
  afterAll(() => client.close());
  const get = (path = "/") => client.request({ host: APP, path });

  test("400 requests at once share at most four of them", async () => {
    const before = service.connections;
    service.handler = (stream) => {
      stream.respond({ ":status": 200 }, { endStream: false });
      setTimeout(() => stream.end("done"), 20);
    };
    const clients = [1, 2].map(() => protocols[1]![1](system));
    const results = await Promise.all(
      Array.from({ length: 400 }, (_, n) => clients[n % 2]!.request({ host: APP })),
    );
    expect(results.every(({ status, complete }) => status === 200 && complete)).toBe(true);
    expect(service.sessions.size).toBeLessThanOrEqual(4);
    expect(service.connections - before).toBeLessThanOrEqual(4);
    for (const client of clients) client.close();
  });

  test("1000 requests at once on 20 connections: each gets a head before its body", async () => {
    const clients = Array.from({ length: 20 }, () => connectHttp2(system));
    for (let round = 0; round < 3; round++) {
      const sent = clients.flatMap((client) =>
        Array.from({ length: 50 }, () => client.request({ host: APP })),
      );
      for (const { status, body, get } of await Promise.all(sent))
        expect([status, get("content-type"), body.length > 0]).toEqual([200, "application/json", true]);
    }
    for (const client of clients) client.close();
  });

  test("more requests than the service takes at a time wait for a place", async () => {
    const narrow = await Http2Service.start({ maxConcurrentStreams: 5 });
    let most = 0;
    narrow.handler = (stream) => {
      most = Math.max(most, narrow.active / narrow.sessions.size);
      setTimeout(() => {
        stream.respond({ ":status": 200 });
        stream.end("ok");
      }, 5);
    };
    await routeTo(narrow);
    const results = await Promise.all(Array.from({ length: 150 }, () => get()));
    await routeTo(service);
    expect(results.map(({ status }) => status)).toEqual(Array(150).fill(200));
    expect(narrow.sessions.size).toBeLessThanOrEqual(4);
    expect(most).toBeLessThanOrEqual(5);
    narrow.close();
  });

  test("one that says goodbye finishes its answers, and gets no more requests", async () => {
    service.handler = (stream, ...rest) => {
      stream.session!.goaway(constants.NGHTTP2_NO_ERROR);
      setTimeout(() => echo(stream, ...rest), 50);
    };
    const first = get("/slow");
    expect((await first).status).toBe(200);
    service.handler = echo;
    expect((await get()).status).toBe(200);
  });

  test("one that was closed meanwhile is replaced without the client noticing, for POST as well", async () => {
    expect((await get()).status).toBe(200);
    for (const session of service.sessions) session.destroy();
    await until(() => service.sessions.size === 0, "the connections have ended");
    expect((await client.request({ host: APP, method: "POST", body: "order" })).status).toBe(200);
  });

  test("a refused request is sent again, once", async () => {
    let refused = 0;
    service.handler = (stream, ...rest) => {
      if (refused++ === 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else echo(stream, ...rest);
    };
    expect((await get()).status).toBe(200);
    service.handler = (stream) => {
      refused++;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    };
    refused = 0;
    expect((await get()).status).toBe(502);
    expect(refused).toBe(2);
  });

  test.skipIf(process.platform === "win32")(
    "one that has gone without a word, as after sleep, is noticed before a request depends on it (needs signals)",
    async () => {
      const frozen: Socket[] = [];
      const relay = createServer((socket) => {
        const onward = connectTcp(service.port, "127.0.0.1");
        frozen.push(
          socket.on("error", () => {}),
          onward.on("error", () => {}),
        );
        socket.pipe(onward).pipe(socket);
      });
      await new Promise((resolve) => relay.listen(0, "127.0.0.1", () => resolve(undefined)));
      const { port } = relay.address() as AddressInfo;
      await putSession(system, { services: { location: `https://localhost:${port}` } });
      expect((await get()).status).toBe(200);
      for (const socket of frozen.splice(0)) socket.unpipe().pause();
      // Longer than the local server trusts a silent connection.
      const before = system.server.log().length;
      system.server.process.kill("SIGUSR2");
      await until(() => system.server.log().slice(before).includes("clock moved"), "the clock has moved");
      const { status } = await client.request({ host: APP, method: "POST", body: "order" });
      await routeTo(service);
      relay.close();
      for (const socket of frozen) socket.destroy();
      expect(status).toBe(200);
    },
  );

  test("a service that wants HTTP/1.1 gets it: those it says so to, and those that wait for a place", async () => {
    const old = await Http2Service.start({ maxConcurrentStreams: 1 });
    old.answerHttp1("by HTTP/1.1");
    old.handler = (stream) => {
      setTimeout(() => stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED), 50);
    };
    await routeTo(old);
    const results = await Promise.all(Array.from({ length: 20 }, () => get()));
    await routeTo(service);
    old.close();
    expect(results.map(({ status, body }) => `${status} ${body}`)).toEqual(Array(20).fill("200 by HTTP/1.1"));
  });

  test("who asks to switch protocols gets a connection of HTTP/1.1", async () => {
    const socket = rawSocket(system.port);
    socket.write(`GET / HTTP/1.1\r\nHost: ${APP}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
    await until(() => socket.received().includes("101 Switching Protocols"), "the protocol was switched");
    socket.write("there and back");
    await until(() => socket.received().includes("there and back"), "the bytes came back");
    socket.destroy();
  });

  test("nothing listens: each of many requests at once gets its 502", async () => {
    const gone = await Http2Service.start();
    await routeTo(gone);
    gone.close();
    const results = await Promise.all(Array.from({ length: 20 }, () => get()));
    await routeTo(service);
    expect(results.map(({ status }) => status)).toEqual(Array(20).fill(502));
  });
});
