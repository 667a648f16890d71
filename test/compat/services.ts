/** Services behind Linkup, which tell what they were asked. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** What a service was asked. */
export interface Asked {
  service: string;
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface EchoService {
  url: string;
  port: number;
  stop(): Promise<void>;
}

/** Answers with what it was asked; `/redirect` redirects and `/cookies` sets two. Echoes WebSocket messages. */
export async function startEchoService(service: string): Promise<EchoService> {
  const server = createServer(async (incoming, response) => {
    const { method, url, headers } = incoming;
    if (url?.startsWith("/cookies")) response.setHeader("set-cookie", ["a=1; Path=/", "b=2; Path=/"]);
    if (url?.startsWith("/redirect")) {
      response.statusCode = 302;
      response.setHeader("location", "https://elsewhere.example.com/");
    }
    response.setHeader("content-type", "application/json");
    response.setHeader("cache-control", "max-age=60");
    const body = await bodyOf(incoming);
    response.end(JSON.stringify({ service, method: method!, url: url!, headers, body } satisfies Asked));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket: WebSocket) => {
    socket.on("error", () => {});
    socket.on("message", (message) => socket.send(`${service}: ${message}`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

export interface EchoedResponse {
  status: number;
  headers: Record<string, string[]>;
  body: string;
  /** The service's account, when one answered. */
  asked(): Asked;
}

/** A request as a client sends it for which every host leads to `base`. */
export async function ask(
  base: string,
  path: string,
  headers: Record<string, string | string[]>,
  { method = "GET", body = "" } = {},
): Promise<EchoedResponse> {
  const { hostname, port } = new URL(base);
  const length = body ? { "content-length": String(Buffer.byteLength(body)) } : {};
  const call = request({ hostname, port, path, method, headers: { ...length, ...headers }, agent: false });
  call.end(body);
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const text = await bodyOf(response);
  return {
    status: response.statusCode!,
    headers: response.headersDistinct as Record<string, string[]>,
    body: text,
    asked: () => JSON.parse(text) as Asked,
  };
}
