/** Services and clients that break off. A broken answer must never look like a complete one. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { testAborts } from "./aborts.ts";
import { protocols, raw, rawSocket, type TestClient } from "./clients.ts";
import { APP, putSession, type System, startSystem, until, WILD } from "./system.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterEach(() => {
  system.app.handler = undefined;
});
afterAll(() => system.stop());

describe.each(protocols)("%s", (_protocol, connect) => {
  let client: TestClient;
  beforeAll(() => {
    client = connect(system);
  });
  afterAll(() => client.close());

  const badGateway = async (script: (socket: Socket) => void, cause: RegExp) => {
    system.wild.script = script;
    const { status, get, body, complete } = await client.request({ host: WILD });
    expect({ status, complete }).toEqual({ status: 502, complete: true });
    expect(get("content-type")).toMatch(/^text\/plain/);
    expect(get("cache-control")).toBe("no-store");
    const text = body.toString();
    for (const part of [
      '"wild"',
      '"slim-gecko"',
      `http://localhost:${system.wild.port}`,
      "linkup route remote wild",
    ])
      expect(text).toContain(part);
    expect(text).toMatch(cause);
  };

  test("a service that hangs up without an answer: 502", () =>
    badGateway((socket) => socket.end(), /closed the connection before/));

  test("a service that resets without an answer: 502", () =>
    badGateway((socket) => void socket.resetAndDestroy(), /closed the connection before/));

  test("a service that hangs up in the middle of its head: 502", () =>
    badGateway((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-"), /closed the connection before/));

  test("a service whose header lines end with LF alone, and which stays: 502", async () => {
    system.wild.script = (socket) => socket.write("HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
    const { status, body } = await client.request({ host: WILD });
    expect([status, body.toString()]).toEqual([502, expect.stringContaining("LF alone")]);
  });

  test.each([
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
    ["noise", "\x00\x01\x02\x03 noise noise\r\n\r\n"],
    ["a bad status", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["a header without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"],
    ["a header name with a space", "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n"],
    ["NUL in a value", "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\n\r\n"],
    ["a control character in its length", "HTTP/1.1 200 OK\r\nContent-Length: 2\x01\r\n\r\nok"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"],
    ["an invalid length", "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello"],
    [
      "length and chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx"],
    ["a switch nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"],
  ])("a service that answers with %s: 502", async (_what, bytes) => {
    system.wild.script = (socket) => socket.end(bytes, "latin1");
    const { status, body } = await client.request({ host: WILD });
    expect(status).toBe(502);
    expect(body.toString()).toMatch(/Cause: (its|it) /);
  });

  test("nothing listens: 502 that says so and what to do", async () => {
    await putSession(system, { services: { location: "http://localhost:1" } });
    const { status, body } = await client.request({ host: APP });
    await putSession(system);
    expect(status).toBe(502);
    expect(body.toString()).toContain("nothing listens on http://localhost:1");
    expect(body.toString()).toContain("linkup route remote app");
  });

  test("https is said of a service that speaks http: 502 that says so, not that nothing listens", async () => {
    await putSession(system, { services: { location: `https://localhost:${system.app.port}` } });
    const { status, body } = await client.request({ host: APP });
    await putSession(system);
    expect(status).toBe(502);
    expect(body.toString()).toMatch(
      /Cause: the TLS handshake failed .*\n.*its scheme .http.https. in linkup.yaml is right/,
    );
  });

  test("the same as a page, for a browser that shows it", async () => {
    await putSession(system, { services: { location: "http://localhost:1" } });
    const headers = ["Accept", "text/html,application/xhtml+xml,*/*;q=0.8"];
    const { status, get, body } = await client.request({ host: APP, headers });
    await putSession(system);
    expect([status, get("linkup-error"), get("content-type")]).toEqual([
      502,
      "service-unreachable",
      "text/html; charset=utf-8",
    ]);
    expect(get("content-length")).toBe(String(body.length));
    const page = body.toString();
    expect(page).toContain("<h1>The service app could not be reached</h1>");
    expect(page).toContain("http://localhost:1");
    expect(page).toContain("start app on this machine, or route it to its deployed copy");
  });

  test("a host that cannot be resolved: 502 that says so", async () => {
    await putSession(system, { services: { location: "http://nowhere.invalid" } });
    const { status, body } = await client.request({ host: APP });
    await putSession(system);
    expect(status).toBe(502);
    expect(body.toString()).toContain("cannot be resolved");
  });

  test.each([
    ["of known length, hangs up", "Content-Length: 100\r\n\r\npart", "end"],
    ["of known length, resets", "Content-Length: 100\r\n\r\npart", "reset"],
    ["in chunks, hangs up between them", "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", "end"],
    ["in chunks, hangs up within one", "Transfer-Encoding: chunked\r\n\r\n40\r\npart", "end"],
    ["in chunks, resets", "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", "reset"],
    [
      "in chunks, hangs up before the last line",
      "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0\r\n",
      "end",
    ],
    [
      "in chunks, with a size of 200 zeros",
      `Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n${"0".repeat(200)}1\r\n`,
      "stay",
    ],
    ["in chunks, with an invalid size", "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\nXYZ\r\n", "stay"],
    ["in chunks, longer than their size", "Transfer-Encoding: chunked\r\n\r\n4\r\npartly\r\n", "stay"],
    ["until the connection's end, resets", "X-A: b\r\n\r\npart", "reset"],
  ])("a body %s: the client sees a broken answer", async (_what, head, then) => {
    system.wild.script = (socket) =>
      socket.write(`HTTP/1.1 200 OK\r\n${head}`, () => {
        // After the client has the first part: a reset may overtake what was sent before it.
        setTimeout(() => {
          if (then === "end") socket.end();
          if (then === "reset") socket.resetAndDestroy();
        }, 50);
      });
    // What is wrong at once may end the connection before the head has left.
    const complete = await client.request({ host: WILD }).then(
      (result) => result.complete,
      () => false,
    );
    expect(complete).toBe(false);
    // The next request is served as if nothing had happened.
    system.wild.script = (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect((await client.request({ host: WILD })).body.toString()).toBe("ok");
  });

  test("bytes behind a complete answer do not become the next one", async () => {
    let served = 0;
    system.wild.script = (socket) => {
      served++;
      socket.write(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
      );
    };
    for (let i = 0; i < 3; i++) expect((await client.request({ host: WILD })).body.toString()).toBe("ok");
    expect(served).toBe(3);
  });

  testAborts(
    () => system,
    () => client,
  );

  test("200 aborts, before and after the head, leave nothing behind", async () => {
    system.app.handler = (request, response) => {
      if (request.url === "/body") response.write("first");
    };
    for (let round = 0; round < 10; round++) {
      const sent = Array.from({ length: 20 }, (_, i) =>
        client.send({ host: APP, path: i % 2 ? "/body" : "/head" }),
      );
      await Promise.all(sent.filter((_, i) => i % 2).map(({ head }) => head));
      await until(() => system.app.active === 20, "all requests arrived");
      for (const { abort } of sent) abort();
      await until(() => system.app.active === 0, "the service saw every abort");
    }
  });

  test("an answer before the request's body is complete, and the connection goes on", async () => {
    system.app.handler = (_request, response) => {
      response.writeHead(413, { connection: "close", "content-length": 5 }).end("large");
    };
    const sent = client.send({ host: APP, method: "POST", streaming: true });
    sent.body.write("x".repeat(100_000));
    const { status } = await sent.head;
    expect(status).toBe(413);
    sent.body.end("rest");
    expect((await sent.result).body.toString()).toBe("large");
    system.app.handler = undefined;
    expect((await client.request({ host: APP })).status).toBe(200);
  });
});

describe("connections to services", () => {
  const get = (host: string, method = "GET", body = "") =>
    raw(
      system.port,
      `${method} / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  /** Serves one request, and hangs up when the next one comes. */
  const once = (socket: Socket) => {
    socket.once("data", () => socket.destroy());
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  };

  test("one that was closed meanwhile is replaced without the client noticing", async () => {
    system.wild.script = once;
    expect(await get(WILD)).toContain("200 OK");
    const before = system.wild.connections;
    expect(await get(WILD)).toContain("200 OK");
    expect(system.wild.connections).toBe(before + 1);
  });

  test("a request that must not be repeated is not", async () => {
    system.wild.script = once;
    expect(await get(WILD)).toContain("200 OK");
    const before = system.wild.connections;
    expect(await get(WILD, "POST", "order")).toContain("502 Bad Gateway");
    expect(system.wild.connections).toBe(before);
  });

  test("a service with `Keep-Alive: timeout=1` gets a new connection", async () => {
    system.wild.script = (socket) => {
      socket.once("data", () => socket.destroy());
      socket.write("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok");
    };
    expect(await get(WILD)).toContain("200 OK");
    expect(await get(WILD, "POST", "order")).toContain("200 OK");
  });
});

describe("clients that break the rules", () => {
  test("HTTP/1.0: a body that ends with the connection and breaks off ends with a reset", async () => {
    system.wild.script = (socket) =>
      socket.write("HTTP/1.1 200 OK\r\n\r\npart", () => setTimeout(() => socket.resetAndDestroy(), 50));
    const socket = rawSocket(system.port);
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => socket.once("error", resolve));
    socket.write(`GET / HTTP/1.0\r\nHost: ${WILD}\r\n\r\n`);
    expect((await failed).code).toBe("ECONNRESET");
  });

  test("nonsense behind a request does not end up in the answer to it", async () => {
    let response: ServerResponse | undefined;
    system.app.handler = (_request, it) => {
      response = it;
      it.writeHead(200, { "content-length": 8 });
      it.write("part");
    };
    const socket = rawSocket(system.port);
    socket.write(`GET / HTTP/1.1\r\nHost: ${APP}\r\n\r\n`);
    await until(() => socket.received().endsWith("part"), "the first part arrived");
    const closed = new Promise((resolve) => socket.once("close", resolve).once("end", () => socket.end()));
    socket.write("nonsense\r\n\r\n");
    response!.end("part");
    await closed;
    expect(socket.received()).toMatch(/\r\n\r\npartpartHTTP\/1\.1 400 Bad Request\r\n/);
  });

  test("an answer with headers that HTTP/2 forbids is still an answer", async () => {
    system.wild.script = (socket) =>
      socket.end(
        "HTTP/1.1 200 OK\r\nHTTP2-Settings: x\r\nProxy-Connection: x\r\nContent-Length: 2\r\n\r\nok",
      );
    for (const [, connect] of protocols) {
      const client = connect(system);
      expect([200, 502]).toContain((await client.request({ host: WILD })).status);
      client.close();
    }
  });

  test("requests of a pipeline are served one after the other, and a client that goes meanwhile is noticed", async () => {
    const paths: string[] = [];
    system.app.handler = ({ url }, response) => {
      paths.push(url!);
      if (url === "/1") response.end("one");
    };
    const socket = rawSocket(system.port);
    for (const path of ["/1", "/2", "/3"]) socket.write(`GET ${path} HTTP/1.1\r\nHost: ${APP}\r\n\r\n`);
    await until(() => system.app.active === 1 && paths.length === 2, "the second request waits");
    socket.destroy();
    await until(() => system.app.active === 0, "the service saw it go");
    expect(paths).toEqual(["/1", "/2"]);
  });
});
