/** Stands for the whole Internet of a Worker that is not on its users' machine: hosts are functions here. */
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CacheStandIn } from "./cache-stand-in.ts";
import { CloudflareFake } from "./cloudflare-fake.ts";
import { type Seen, startWorker, TOKEN } from "./world.ts";

type Host = (request: IncomingMessage, response: ServerResponse) => void;

export class Internet {
  readonly cloudflare = new CloudflareFake();
  readonly cache = new CacheStandIn();
  readonly hosts = new Map<string, Host>();
  readonly server = http.createServer((request, response) => this.#serve(request, response));
  address = "";

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
  startWorker(vars: Record<string, string> = {}, persist?: string) {
    return startWorker({
      internet: this.address,
      persist,
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
    const record = this.cloudflare.records.find((candidate) => candidate.name === name);
    const tunnel = this.cloudflare.living.find(({ id }) => record?.content === `${id}.cfargotunnel.com`);
    if (tunnel?.connected) answerSeen(`laptop of ${tunnel.name}`)(request, response);
    else response.writeHead(530).end("error code: 1033");
  }
}

export function answerSeen(service: string): Host {
  return (request, response) => {
    const seen: Partial<Seen> = {
      service,
      method: request.method ?? "",
      url: request.url ?? "",
      headers: request.headers,
    };
    response.end(JSON.stringify(seen));
  };
}
