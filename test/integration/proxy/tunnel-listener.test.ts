/** What cloudflared brings: the same bytes, and the same end, as on the browser's listener. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { testAborts } from "./aborts.ts";
import { connectHttp1, connectTunnel, rawSocket, type TestClient, tunnelHeaders } from "./clients.ts";
import { APP, type System, startSystem, until, WILD } from "./system.ts";

const originSecret = "secret-of-the-session";
let system: System;
let client: TestClient;

beforeAll(async () => {
  system = await startSystem({ originSecret });
  client = connectTunnel(system, originSecret);
});
afterEach(() => {
  system.app.handler = undefined;
});
afterAll(() => system.stop());

test.each([
  ["latin1", Buffer.from('attachment; filename="Blätter.pdf"', "latin1")],
  ["UTF-8", Buffer.from('attachment; filename="葉.pdf"', "utf8")],
])("a Content-Length before a Content-Disposition in %s", async (_charset, disposition) => {
  system.wild.script = (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Disposition: ");
    socket.write(disposition);
    socket.end("\r\n\r\nok");
  };
  const { status, get, body } = await client.request({ host: WILD });
  expect([status, body.toString()]).toEqual([200, "ok"]);
  expect(Buffer.from(get("content-disposition")!, "latin1")).toEqual(disposition);
});

test("a response is marked as the service's for the Worker, which takes a 530 for Cloudflare's otherwise", async () => {
  system.app.handler = (_request, response) => response.writeHead(530).end("error code: 1033");
  const through = await client.request({ host: APP });
  expect([through.status, through.get("linkup-answered")]).toEqual([530, "service"]);
  const direct = await connectHttp1(system).request({ host: APP });
  expect([direct.status, direct.get("linkup-answered")]).toEqual([530, undefined]);
});

describe("a client that disconnects ends the request at the service", () => {
  testAborts(
    () => system,
    () => client,
  );

  test.each(["before", "after"])("%s a WebSocket is open", async (when) => {
    let asked = false;
    let gone = false;
    system.wild.script = (socket) => {
      asked = true;
      if (when === "after")
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.on("close", () => (gone = true));
    };
    const socket = rawSocket(system.server.status.tunnel_port);
    const headers = ["Host", "linkup-gecko.tunnels.example.net", ...tunnelHeaders(WILD, originSecret)];
    const lines = ["GET / HTTP/1.1"];
    for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
    lines.push("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
    socket.write(`${lines.join("\r\n")}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
    await until(() => asked, "the request arrived");
    if (when === "after") await until(() => socket.received().includes("101"), "the protocol switched");
    socket.destroy();
    await until(() => gone, "the service saw it go");
  });
});
