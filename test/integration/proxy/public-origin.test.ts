/** Hosts of the sessions' domains that are not served here, and are passed on to where they really are. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { createAuthority, issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import { controlAddress } from "../../../node/control-address.ts";
import { newHome } from "../local-server/harness.ts";
import { connectHttp1, protocols, raw, type TestClient } from "./clients.ts";
import { APP, SESSION, type System, startSystem } from "./system.ts";

const PREVIEW = "pr-123.example.com";

interface SeenAtEdge {
  sni: string;
  method: string;
  url: string;
  rawHeaders: string[];
  body: string;
}

let edge: Server;
let system: System;
beforeAll(async () => {
  const authority = await createAuthority(["example.com"], Date.now());
  const { certificate: cert, key } = await issueLeaf(authority, "example.com", Date.now());
  edge = createServer({ cert, key });
  edge.on("request", (request, response) => {
    if (request.url === "/circle") {
      const again = { port: system.port, host: "127.0.0.1", path: "/circle", headers: request.headers };
      httpRequest(again, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      }).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", rawHeaders } = request;
      const sni = String((request.socket as TLSSocket).servername);
      const seen: SeenAtEdge = { sni, method, url, rawHeaders, body: String(Buffer.concat(chunks)) };
      response.writeHead(201, ["X-Twice", "1", "x-twice", "2", "Set-Cookie", "a=1", "Set-Cookie", "b=2"]);
      response.end(JSON.stringify(seen));
    });
  });
  new WebSocketServer({ server: edge }).on("connection", (socket) =>
    socket.on("message", (data, binary) => socket.send(data, { binary })),
  );
  await new Promise<void>((resolve) => edge.listen(0, "127.0.0.1", resolve));
  const file = join(newHome(), "authority.pem");
  writeFileSync(file, authority.certificate);
  system = await startSystem({ edge: { port: (edge.address() as AddressInfo).port, authority: file } });
});
afterAll(async () => {
  await system.stop();
  edge.close();
  edge.closeAllConnections();
});

describe.each(protocols)("%s", (_protocol, connect) => {
  let client: TestClient;
  beforeAll(() => {
    client = connect(system);
  });
  afterAll(() => client.close());

  test.each([PREVIEW, "example.com"])("%s gets there as it came", async (host) => {
    const path = "/a//b/%2e/x?q=%20&&";
    const headers = ["X-Own", "1", "Cookie", "a=1; b=2", "Origin", `https://${host}`, "Accept", "*/*"];
    const answer = await client.request({ host, path, method: "POST", headers, body: "what was sent" });
    expect(answer.status).toBe(201);
    expect(answer.all("x-twice").join(", ")).toBe("1, 2");
    expect(answer.all("set-cookie")).toEqual(["a=1", "b=2"]);
    expect([answer.get("cache-control"), answer.get("access-control-allow-origin")]).toEqual([
      undefined,
      undefined,
    ]);
    const seen: SeenAtEdge = JSON.parse(answer.body.toString());
    expect(seen).toMatchObject({ sni: host, method: "POST", url: path, body: "what was sent" });
    const lower = new Map<string, string>();
    for (let i = 0; i < seen.rawHeaders.length; i += 2)
      lower.set(seen.rawHeaders[i]!.toLowerCase(), seen.rawHeaders[i + 1]!);
    // The count is what ends a circle.
    expect([...lower].sort()).toEqual([
      ["accept", "*/*"],
      ["content-length", "13"],
      ["cookie", "a=1; b=2"],
      ["host", host],
      ["linkup-hops", "1"],
      ["origin", `https://${host}`],
      ["x-own", "1"],
    ]);
  });

  test("while somebody follows the log, the Worker can join what it gets with the row here", async () => {
    const follower = httpRequest({
      socketPath: controlAddress(system.server.home),
      path: "/v1/requests/follow?limit=0",
    }).end();
    const [lines] = (await once(follower, "response")) as [IncomingMessage];
    const { body } = await client.request({ host: PREVIEW, path: "/followed" });
    lines.destroy();
    const { rawHeaders } = JSON.parse(body.toString()) as SeenAtEdge;
    expect(rawHeaders[rawHeaders.indexOf("linkup-hop") + 1]).toMatch(/^[0-9a-f]{16}$/);
  });

  test("the sessions of this machine stay here", async () => {
    const { status, body } = await client.request({ host: APP, path: "/here" });
    expect([status, JSON.parse(body.toString()).headers.tracestate]).toEqual([
      200,
      `linkup-session=${SESSION}`,
    ]);
  });

  test("a circle is cut off", async () => {
    const { status, get } = await client.request({ host: PREVIEW, path: "/circle" });
    expect([status, get("linkup-error")]).toEqual([508, "loop"]);
  });
});

test.each([
  ["ws", () => new WebSocket(`ws://127.0.0.1:${system.port}/`, { headers: { host: PREVIEW } })],
  [
    "wss",
    () => {
      const options: ClientOptions = { headers: { host: PREVIEW }, ca: system.ca };
      return new WebSocket(`wss://127.0.0.1:${system.port}/`, { ...options, servername: PREVIEW } as object);
    },
  ],
])("WebSocket: %s", async (_name, open) => {
  const socket = open();
  const back = new Promise((resolve, reject) => {
    socket.once("open", () => socket.send("hello"));
    socket.once("message", (data) => resolve(String(data)));
    socket.once("error", reject);
  });
  expect(await back).toBe("hello");
  socket.terminate();
});

test("a certificate of another host is not accepted", async () => {
  const { status, get, body } = await connectHttp1(system).request({ host: "pr-123.wild.example.com" });
  expect([status, get("linkup-error")]).toEqual([502, "edge-unreachable"]);
  expect(body.toString()).toContain("pr-123.wild.example.com. is not in the cert's altnames");
});

test.each([
  "127.0.0.1:9080",
  "localhost",
  "evil.example/x.example.com",
  "you@pr-1.example.com",
  ".example.com",
])("%s is no host to pass on to", async (host) => {
  expect(await raw(system.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 4/,
  );
});

test("what came through the tunnel is not passed on", async () => {
  const answer = await raw(
    system.server.status.tunnel_port,
    `GET / HTTP/1.1\r\nHost: ${PREVIEW}\r\nConnection: close\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 422/);
  expect(answer).toMatch(/^linkup-error: unknown-session\r$/im);
});

test("an edge that is away: 502 that says so", async () => {
  edge.close();
  edge.closeAllConnections();
  const { status, get, body } = await connectHttp1(system).request({ host: PREVIEW });
  expect([status, get("linkup-error")]).toEqual([502, "edge-unreachable"]);
  expect(body.toString()).toContain(`https://${PREVIEW} refuses connections`);
});
