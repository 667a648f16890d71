/** Services that answer what they saw of a request. */
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a service saw. */
export interface EchoedRequest {
  service: string;
  method: string;
  /** Path and query of the request line. */
  target: string;
  /** As they came: name, value, name, value… */
  rawHeaders: string[];
  body: string;
}

/** What a service is to answer: JSON in the query member `respond`. */
export interface Respond {
  status?: number;
  headers?: [string, string][];
  body?: string;
}

export interface Echo {
  name: string;
  /** Where the implementation finds it: `http://127.0.0.1:port`, or a name of the Internet that it lives in. */
  url: string;
  port: number;
  stop(): Promise<void>;
}

export async function startEcho(name: string): Promise<Echo> {
  const server = http.createServer((request, response) => void answer(name, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export async function answer(
  service: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const target = request.url ?? "";
  const wanted = new URL(target, "http://any").searchParams.get("respond");
  const respond: Respond = wanted ? JSON.parse(wanted) : {};
  const seen: EchoedRequest = {
    service,
    method: request.method ?? "",
    target,
    rawHeaders: request.rawHeaders,
    body: Buffer.concat(parts).toString(),
  };
  const headers = respond.headers ?? [["content-type", "application/json"]];
  response.writeHead(respond.status ?? 200, headers.flat());
  response.end(respond.body ?? JSON.stringify(seen));
}

/** The target that makes a service answer so. */
export function respondWith(path: string, respond: Respond): string {
  return `${path}?respond=${encodeURIComponent(JSON.stringify(respond))}`;
}
