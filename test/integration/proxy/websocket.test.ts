/** Connections that stop being HTTP. */
import { createHash, randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { raw, rawSocket } from "./clients.ts";
import { APP, putSession, type System, startSystem, until, WILD } from "./system.ts";
import { webSocketOverHttp2 } from "./websocket-over-http2.ts";

let system: System;
let sockets: WebSocketServer;
beforeAll(async () => {
  system = await startSystem();
  sockets = new WebSocketServer({
    server: system.app.server,
    handleProtocols: (offered) => [...offered][0]!,
  });
});
afterEach(() => sockets.removeAllListeners("connection"));
afterAll(() => system.stop());

const echo = () =>
  sockets.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));

describe.each([
  ["ws", (port: number) => new WebSocket(`ws://127.0.0.1:${port}/live`, "chat", { headers: { host: APP } })],
  [
    "wss",
    (port: number) =>
      new WebSocket(`wss://127.0.0.1:${port}/live`, "chat", {
        headers: { host: APP },
        servername: APP,
        ca: system.ca,
      } as ClientOptions),
  ],
  ["WebSocket over HTTP/2 (RFC 8441)", () => webSocketOverHttp2(system)],
])("%s", (_name, open) => {
  const opened = async (): Promise<WebSocket> => {
    const socket = open(system.port);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return socket;
  };

  test("echo of text, bytes and a large message", async () => {
    echo();
    const socket = await opened();
    const messages = ["hello", randomBytes(1000), randomBytes(3_000_000)];
    for (const message of messages) {
      const back = new Promise<Buffer>((resolve) =>
        socket.once("message", (data) => resolve(data as Buffer)),
      );
      socket.send(message);
      expect((await back).equals(Buffer.from(message as string))).toBe(true);
    }
    socket.terminate();
  });

  test("the service's close code and reason arrive", async () => {
    sockets.on("connection", (socket) => socket.close(4001, "so long"));
    const socket = open(system.port);
    const closed = await new Promise((resolve) =>
      socket.once("close", (code, text) => resolve([code, String(text)])),
    );
    expect(closed).toEqual([4001, "so long"]);
  });

  test("the client's close code and reason arrive", async () => {
    const closed = new Promise((resolve) =>
      sockets.on("connection", (socket) =>
        socket.once("close", (code, text) => resolve([code, String(text)])),
      ),
    );
    const socket = await opened();
    socket.close(4002, "and thanks");
    expect(await closed).toEqual([4002, "and thanks"]);
  });

  test("a client that vanishes is noticed by the service", async () => {
    const closed = new Promise((resolve) =>
      sockets.on("connection", (socket) => socket.once("close", resolve)),
    );
    const socket = await opened();
    socket.terminate();
    expect(await closed).toBe(1006);
  });

  test("a service that vanishes is noticed by the client", async () => {
    sockets.on("connection", (socket) => socket.terminate());
    const socket = open(system.port);
    const code = await new Promise((resolve) => socket.once("close", resolve));
    expect(code).toBe(1006);
  });

  test("the service sees the session's headers and the wished protocol", async () => {
    const seen = new Promise<Record<string, unknown>>((resolve) =>
      sockets.on("connection", (_socket, request) => resolve({ url: request.url, ...request.headers })),
    );
    const socket = await opened();
    expect(socket.protocol).toBe("chat");
    expect(await seen).toMatchObject({
      url: "/live",
      host: `localhost:${system.app.port}`,
      connection: "Upgrade",
      upgrade: "websocket",
      tracestate: "linkup-session=slim-gecko",
      "linkup-destination": "app",
    });
    socket.terminate();
  });

  test("100 messages at once in each of 20 sockets arrive in their order", async () => {
    echo();
    const all = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await opened();
        const got: string[] = [];
        socket.on("message", (data) => got.push(String(data)));
        for (let i = 0; i < 100; i++) socket.send(String(i));
        await until(() => got.length === 100, "every echo arrived");
        socket.terminate();
        return got.every((text, i) => text === String(i));
      }),
    );
    expect(all.every(Boolean)).toBe(true);
  });

  test("an upgrade that the service refuses gets its answer", async () => {
    await putSession(system, { services: { location: `http://localhost:${system.wild.port}` } });
    system.wild.script = (socket) =>
      socket.end("HTTP/1.1 401 Unauthorized\r\nX-Why: no\r\nContent-Length: 6\r\n\r\nno way");
    const socket = open(system.port);
    const error = await new Promise<Error>((resolve) => socket.once("error", resolve));
    await putSession(system);
    expect(error.message).toContain("401");
  });

  test("a service that is not there: 502", async () => {
    await putSession(system, { services: { location: "http://localhost:1" } });
    const socket = open(system.port);
    const error = await new Promise<Error>((resolve) => socket.once("error", resolve));
    await putSession(system);
    expect(error.message).toContain("502");
  });
});

describe("on the wire", () => {
  const upgrade = (host: string, extra = "") =>
    `GET /live HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}\r\n`;

  test("the answer to the client's own key", async () => {
    echo();
    const socket = rawSocket(system.port);
    socket.write(upgrade(APP));
    await until(() => socket.received().includes("\r\n\r\n"), "the answer came");
    expect(socket.received()).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(socket.received()).toMatch(/Connection: Upgrade\r\nUpgrade: websocket\r\n/i);
    expect(socket.received()).toContain(`Sec-WebSocket-Accept: ${accept("dGhlIHNhbXBsZSBub25jZQ==")}`);
    socket.destroy();
  });

  test("what either side sends right behind its head is not lost", async () => {
    system.wild.script = (socket, _head, rest) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nearly");
      socket.write(rest);
      socket.pipe(socket);
    };
    const socket = rawSocket(system.port);
    socket.write(`GET / HTTP/1.1\r\nHost: ${WILD}\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nbird`);
    await until(() => socket.received().endsWith("earlybird"), "both arrived");
    socket.write(" and more");
    await until(() => socket.received().endsWith("earlybird and more"), "the echo arrived");
    socket.destroy();
  });

  test("a half-open end: the client ends, the service still answers", async () => {
    system.wild.script = (socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
      let text = "";
      socket.on("data", (chunk) => (text += chunk));
      socket.removeAllListeners("end").on("end", () => setTimeout(() => socket.end(`you said ${text}`), 50));
    };
    const socket = rawSocket(system.port);
    socket.write(`GET / HTTP/1.1\r\nHost: ${WILD}\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`);
    await until(() => socket.received().includes("\r\n\r\n"), "the switch");
    socket.end("all of it");
    await until(() => socket.received().endsWith("you said all of it"), "the answer after the end");
    await until(() => socket.closed, "the end");
  });

  test("a half-open end: the service ends, the client still speaks", async () => {
    let text = "";
    system.wild.script = (socket) => {
      socket.on("data", (chunk) => (text += chunk));
      socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nlast words");
    };
    const socket = rawSocket(system.port);
    const ended = new Promise((resolve) => socket.once("end", resolve));
    socket.write(`GET / HTTP/1.1\r\nHost: ${WILD}\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`);
    await ended;
    expect(socket.received().endsWith("last words")).toBe(true);
    socket.end("but I am still here");
    await until(() => text === "but I am still here", "the service heard it");
  });

  test("a wish for HTTP/2 over cleartext is not passed on, the request is answered", async () => {
    const answer = await raw(
      system.port,
      `POST /x HTTP/1.1\r\nHost: ${APP}\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nContent-Length: 4\r\n\r\nbody`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(answer).toContain('"body":"body"');
    expect(answer.toLowerCase()).not.toContain("http2-settings");
  });

  test("a client that goes while the service thinks about the switch is noticed", async () => {
    let asked = false;
    let gone = false;
    system.wild.script = (socket) => {
      asked = true;
      socket.on("close", () => (gone = true));
    };
    const socket = rawSocket(system.port);
    socket.write(upgrade(WILD));
    await until(() => asked, "the request arrived");
    socket.destroy();
    await until(() => gone, "the service saw it go");
  });
});

function accept(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
