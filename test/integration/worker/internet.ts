/** Stands for the whole Internet of a Worker that is not on its users' machine: hosts are functions here. */
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Edge, type EdgeRequest, responseHeaders } from "../cloudflared/edge.ts";
import { UPGRADE } from "../cloudflared/tunnel-rpc.ts";
import { CacheStandIn } from "./cache-stand-in.ts";
import { CloudflareFake } from "./cloudflare-fake.ts";
import { startWorker, TOKEN, type WorkerForwardedRequest } from "./world.ts";

type Host = (request: IncomingMessage, response: ServerResponse) => void;

export class Internet {
  readonly cloudflare = new CloudflareFake();
  readonly cache = new CacheStandIn();
  readonly hosts = new Map<string, Host>();
  readonly server = http.createServer((request, response) => this.#serve(request, response));
  address = "";
  /** Set where routes lead the tunnels' hosts to the Worker at this URL: the tunnel zone is another one than its own. */
  workerOfTunnelZone: string | undefined;
  /** Where cloudflared connects. Without it, laptops answer what they saw. */
  readonly #edge: Edge | undefined;

  constructor(edge?: Edge) {
    this.#edge = edge;
    this.cloudflare.onTunnel = ({ id, secret }) => edge?.createTunnel(id, secret);
    this.cloudflare.onDeletedTunnel = ({ id }) => edge?.deleteTunnel(id);
    this.server.on("upgrade", (request, socket: Socket) => this.#upgrade(request, socket));
  }

  async start(): Promise<this> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.address = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  /** A Worker as it is deployed, with Cloudflare's API and everything else here. */
  startWorker(vars: Record<string, string> = {}, persist?: string, port = 0, bundle?: string) {
    return startWorker({
      ...(bundle === undefined ? {} : { bundle }),
      internet: this.address,
      persist,
      port,
      vars: {
        WORKER_TOKEN: TOKEN,
        LINKUP_TUNNEL: "cloudflare",
        CLOUDFLARE_ACCOUNT_ID: this.cloudflare.account,
        CLOUDFLARE_TUNNEL_ZONE_ID: this.cloudflare.zone.id,
        CLOUDFLARE_API_TOKEN: this.cloudflare.token,
        TUNNEL_NAME_PREFIX: "linkup-",
        ...vars,
      },
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const name = request.headers.host ?? "";
    const host = this.hosts.get(name);
    if (name === "api.cloudflare.com") void this.cloudflare.serve(request, response);
    else if (name.endsWith(".linkup-cache.invalid")) void this.cache.serve(request, response);
    else if (host) host(request, response);
    else if (name.endsWith(`.${this.cloudflare.zone.name}`)) this.#tunnel(name, request, response);
    else response.writeHead(404).end(`nothing is called ${name}`);
  }

  /** The edge's side of a tunnel: it leads to a laptop when a cloudflared is connected. */
  #tunnel(name: string, request: IncomingMessage, response: ServerResponse): void {
    if (this.workerOfTunnelZone && request.headers[PASSED] === undefined) {
      passOn(this.workerOfTunnelZone, request, response);
      return;
    }
    if (this.#edge?.deaf) return;
    const tunnel = this.#tunnelOf(name);
    const stream = this.#edge?.open(tunnel?.id ?? "", asEdgeRequest(request));
    if (stream) {
      if (stream.writable) request.pipe(stream);
      stream.once("response", (answer) => {
        response.writeHead(answer[":status"] ?? 502, responseHeaders(answer) as http.OutgoingHttpHeaders);
        response.flushHeaders();
        stream.pipe(response);
      });
      stream.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(530).end()));
      response.once("close", () => stream.close());
    } else if (tunnel?.connected) answerSeen(`laptop of ${tunnel.name}`)(request, response);
    else response.writeHead(530).end("error code: 1033");
  }

  /** A WebSocket down a tunnel: cloudflared is told by a header, and answers 200 when it is open. */
  #upgrade(request: IncomingMessage, socket: Socket): void {
    const name = request.headers.host ?? "";
    // A service on the Internet: a test listens for its upgrades itself.
    if (!name.endsWith(`.${this.cloudflare.zone.name}`)) return;
    socket.on("error", () => {});
    const edgeRequest = asEdgeRequest(request, { [UPGRADE]: request.headers.upgrade });
    const stream = this.#edge?.open(this.#tunnelOf(name)?.id ?? "", edgeRequest);
    if (!stream) {
      socket.end("HTTP/1.1 530 Unknown\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    stream.on("error", () => socket.destroy());
    stream.once("close", () => socket.destroy());
    socket.once("close", () => stream.close());
    stream.once("response", (answer) => {
      const { ":status": status } = answer;
      const headers = responseHeaders(answer);
      const isOpen = status === 200 && headers["sec-websocket-accept"] !== undefined;
      const first = isOpen
        ? "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket"
        : `HTTP/1.1 ${status} Refused\r\nConnection: close`;
      const lines = Object.entries(headers).map(([field, value]) => `${field}: ${value}`);
      socket.write(`${[first, ...lines].join("\r\n")}\r\n\r\n`);
      stream.pipe(socket);
      if (isOpen) socket.pipe(stream);
      else stream.end();
    });
  }

  #tunnelOf(name: string) {
    const record = this.cloudflare.records.find((candidate) => candidate.name === name);
    return this.cloudflare.living.find(({ id }) => record?.content === `${id}.cfargotunnel.com`);
  }
}

/** On requests that have gone through the Worker of the tunnel zone: its own requests to that zone go around it. */
const PASSED = "test-passed-tunnel-zone";

function passOn(worker: string, request: IncomingMessage, response: ServerResponse): void {
  const { hostname, port } = new URL(worker);
  const headers = { ...request.headers, [PASSED]: "1" };
  const { method, url: path } = request;
  const call = http.request({ hostname, port, method, path, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(response);
  });
  call.on("error", () => response.destroy());
  request.pipe(call);
}

function asEdgeRequest(request: IncomingMessage, more: EdgeRequest["headers"] = {}): EdgeRequest {
  return {
    method: request.method ?? "GET",
    authority: request.headers.host ?? "",
    path: request.url ?? "/",
    headers: { ...request.headers, ...more },
  };
}

export function answerSeen(service: string): Host {
  return (request, response) => {
    const seen: Partial<WorkerForwardedRequest> = {
      service,
      method: request.method ?? "",
      url: request.url ?? "",
      headers: request.headers,
    };
    response.end(JSON.stringify(seen));
  };
}
