/** Clients that end their side of an HTTP/1 connection behind their request, as `nc -N` does, and those that have gone. */
import type { ServerResponse } from "node:http";
import { connect as tcpConnect } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { APP, type System, startSystem, until, WILD } from "./system.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterEach(() => {
  system.app.handler = undefined;
});
afterAll(() => system.stop());

/** A connection that has sent this, and what it has received so far. */
function over(secure: boolean, bytes: string) {
  const { port, ca } = system;
  const socket = secure
    ? tlsConnect({ host: "127.0.0.1", port, servername: APP, ca, ALPNProtocols: ["http/1.1"] })
    : tcpConnect({ port, host: "127.0.0.1" });
  socket.allowHalfOpen = true;
  socket.on("error", () => {});
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk) => (text += chunk));
  const closed = new Promise<string>((resolve) => socket.once("end", () => resolve(text)));
  socket.write(bytes, "latin1");
  return { socket, closed, received: () => text };
}

const get = (path = "/", version = "1.1") => `GET ${path} HTTP/${version}\r\nHost: ${APP}\r\n\r\n`;

describe.each([
  ["TCP", false],
  ["TLS", true],
])("over %s", (_, secure) => {
  /** Asks, ends, and responds once the end has come. */
  const ask = async (bytes: string, respond: (response: ServerResponse) => void) => {
    let waiting: ServerResponse | undefined;
    system.app.handler = (request, response) => void request.resume().on("end", () => (waiting = response));
    const { socket, closed, received } = over(secure, bytes);
    socket.end();
    await until(() => waiting !== undefined, "the request arrived");
    // From here on the proxy knows of the end, and of the client's still being there.
    await until(() => received().length > 1, "the response began");
    respond(waiting!);
    return closed;
  };

  test("a response of known length", async () => {
    const text = await ask(get(), (response) => {
      response.writeHead(200, { "content-length": 5 });
      response.write("he");
      setImmediate(() => response.end("llo"));
    });
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhello$/);
  });

  test("a response in chunks, to a request with a body", async () => {
    const post = `POST / HTTP/1.1\r\nHost: ${APP}\r\nContent-Length: 3\r\n\r\nabc`;
    const text = await ask(post, (response) => {
      response.write("hello");
      setImmediate(() => response.end());
    });
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n0*5\r\nhello\r\n0+\r\n\r\n$/);
  });

  test("interim responses before it", async () => {
    const text = await ask(get(), (response) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.end("hello");
    });
    expect(text).toMatch(
      /^HTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 103 Early Hints\r\n[\s\S]*?\r\n\r\nHTTP\/1\.1 200 /,
    );
    expect(text).toMatch(/hello$/);
  });

  test("a response over HTTP/1.0", async () => {
    expect(await ask(get("/", "1.0"), (response) => response.end("hello"))).toMatch(
      /^HTTP\/1\.1 200 [\s\S]*hello$/,
    );
  });

  test("an end that comes in the middle of the response", async () => {
    let waiting: ServerResponse | undefined;
    system.app.handler = (_request, response) => {
      response.write("hello");
      waiting = response;
    };
    const { socket, closed, received } = over(secure, get());
    await until(() => received().endsWith("hello\r\n"), "the first part arrived");
    socket.end();
    await until(() => received().endsWith("\n00"), "the proxy knew of the end");
    waiting!.end(" and more");
    expect(await closed).toMatch(/\r\n5\r\nhello\r\n0+9\r\n and more\r\n0\r\n\r\n$/);
  });

  test("every response of a pipeline", async () => {
    system.app.handler = ({ url }, response) => void response.end(`this is ${url}`);
    const { socket, closed } = over(secure, get("/1") + get("/2") + get("/3"));
    socket.end();
    expect((await closed).match(/this is ..|HTTP\/1.1 200 OK/g)).toEqual(
      ["/1", "/2", "/3"].flatMap((path) => ["HTTP/1.1 200 OK", `this is ${path}`]),
    );
  });

  test("a response of Linkup's own", async () => {
    const { socket, closed } = over(secure, "GET / HTTP/1.1\r\nHost: no.such.example\r\n\r\n");
    socket.end();
    expect(await closed).toMatch(/^HTTP\/1\.1 422 /);
  });

  test.each([
    ["before its response", (_: ServerResponse) => {}, ""],
    ["in a response in chunks", (response: ServerResponse) => response.write("part"), "part"],
    [
      "in a response of known length that pauses",
      (response: ServerResponse) => response.writeHead(200, { "content-length": 9 }).write("part"),
      "part",
    ],
  ])("a client that goes %s is noticed", async (_, respond, first) => {
    system.app.handler = (_request, response) => void respond(response);
    const { socket, received } = over(secure, get());
    await until(() => system.app.active === 1 && received().includes(first), "the request arrived");
    socket.end(() => socket.destroy());
    await until(() => system.app.active === 0, "the service saw it go");
  });
});

test("a client that goes later than it ended its side is noticed, too", async () => {
  system.app.handler = () => {};
  const { socket, received } = over(false, get());
  socket.end();
  await until(() => received() === "HTT", "the proxy has tried");
  socket.destroy();
  await until(() => system.app.active === 0, "the service saw it go");
});

test("a request that is not complete is refused", async () => {
  const { socket, closed } = over(false, `POST / HTTP/1.1\r\nHost: ${WILD}\r\nContent-Length: 9\r\n\r\nhalf`);
  socket.end();
  expect(await closed).not.toContain("200 OK");
});
