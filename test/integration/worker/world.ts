/** A Worker on workerd, and services for it to reach, all on loopback. */
import { once } from "node:events";
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { startWorker as startEmbeddedWorker } from "../../../scripts/embedded-worker.mjs";

/** Deployed Workers refuse shorter ones. */
export const TOKEN = "token123-of-the-tests";

/** What a service saw of a request, as it answers it. */
export interface WorkerForwardedRequest {
  service: string;
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: string;
}

export interface StartedService {
  url: string;
  server: http.Server;
  stop(): Promise<void>;
}

/** A service that answers what it saw, or what `answer` makes of the request. */
export async function startService(
  name: string,
  answer?: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<StartedService> {
  const server = http.createServer(async (request, response) => {
    if (answer) return answer(request, response);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const seen: WorkerForwardedRequest = {
      service: name,
      method: request.method ?? "",
      url: request.url ?? "",
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      body: Buffer.concat(parts).toString(),
    };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(seen));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export interface ReceivedResponse {
  status: number;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: string;
}

type HeaderLines = Record<string, string | string[]>;

/** One request to a Worker, as a client that resolves every host to it would send it. */
export async function send(
  base: string,
  path: string,
  options: { method?: string; headers?: HeaderLines; body?: string | Buffer } = {},
): Promise<ReceivedResponse> {
  const { hostname, port } = new URL(base);
  const request = http.request({
    hostname,
    port,
    path,
    method: options.method ?? "GET",
    headers: options.headers ?? {},
    agent: false,
  });
  request.end(options.body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    body: Buffer.concat(parts).toString(),
  };
}

export type Api = (
  method: string,
  path: string,
  body?: unknown,
  headers?: HeaderLines,
) => Promise<ReceivedResponse & { json: () => Record<string, unknown> }>;

export function apiOf(base: string, token = TOKEN): Api {
  return async (method, path, body, headers = {}) => {
    const answer = await send(base, path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { ...answer, json: () => JSON.parse(answer.body) };
  };
}

/** Services and domains of one service at this location, for `example.com`. */
export function oneService(location: string) {
  return {
    services: [{ name: "web", location }],
    domains: [{ domain: "example.com", default_service: "web" }],
  };
}

export function startWorker(options: Parameters<typeof startEmbeddedWorker>[0] = {}) {
  return startEmbeddedWorker({ token: TOKEN, ...options });
}
