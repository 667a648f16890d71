/** A session in front of services of this machine, reached in the ways in which its users reach it. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import http, { type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { World } from "../integration/manager/world.ts";
import { type StartedService, startService } from "../integration/worker/world.ts";

/**
 * `local`: the browser asks the local server. `direct`: the Worker, which reaches the local server at once.
 * `cloudflare`: the Worker as it is deployed, with tunnels of Cloudflare, whose API, edge and cloudflared have stand-ins.
 */
export const WAYS = ["local", "direct", "cloudflare"] as const;
export type Way = (typeof WAYS)[number];

/** All services have hosts below this one, such as `slim-gecko.express.shop.test`. */
export const DOMAIN = "shop.test";

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The lines of a field, as they were sent. */
  lines(name: string): string[];
  body: string;
}

interface Ask {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

/** The names of the sessions that there are besides: an isolated one on this machine, a preview at the Worker. */
const BESIDE = { isolated: "calm-otter", preview: "warm-otter" };

interface Options {
  domainOf(service: string): string;
  linkup: string;
}

/** Sessions in which these services are local. Both the deployed Worker and the one of this machine have one. */
export class Chain {
  readonly #worlds: Record<"direct" | "cloudflare", Started>;
  readonly #deployed: StartedService;
  readonly #options: Options;

  private constructor(
    worlds: Record<"direct" | "cloudflare", Started>,
    deployed: StartedService,
    options: Options,
  ) {
    this.#worlds = worlds;
    this.#deployed = deployed;
    this.#options = options;
  }

  /**
   * @param services their locations by name
   * @param options `domainOf`: the domain of a service; `linkup`: further lines of that key in linkup.yaml
   */
  static async start(services: Record<string, string>, options: Partial<Options> = {}): Promise<Chain> {
    const chosen = { domainOf: (name: string) => `${name}.${DOMAIN}`, linkup: "", ...options };
    const deployed = await startService("deployed", (_, response) => response.end("deployed"));
    const start = (kind: "direct" | "cloudflare") => startSession(kind, services, chosen, deployed);
    const [direct, cloudflare] = await Promise.all([start("direct"), start("cloudflare")]);
    return new Chain({ direct, cloudflare }, deployed, chosen);
  }

  /** Where a client connects. */
  port(way: Way): number {
    const { localPort, world } = this.#worlds[way === "cloudflare" ? "cloudflare" : "direct"];
    return way === "local" ? localPort : world.workerPort;
  }

  session(way: Way): string {
    return this.#worlds[way === "cloudflare" ? "cloudflare" : "direct"].session;
  }

  /** The session's host of a service, with its port. */
  host(way: Way, service: string): string {
    return `${this.session(way)}.${this.#options.domainOf(service)}:${this.port(way)}`;
  }

  /** A token for the header `linkup-access`, which lets its bearer into a private session. */
  async accessToken(way: Way): Promise<string> {
    const { world } = this.#worlds[way === "cloudflare" ? "cloudflare" : "direct"];
    return (await world.json<{ token: string }>("share", "--token")).token;
  }

  /** The name of another session. */
  sessionBeside(way: Way): string {
    return way === "local" ? BESIDE.isolated : BESIDE.preview;
  }

  hostBeside(way: Way, service: string): string {
    return `${this.sessionBeside(way)}.${this.#options.domainOf(service)}:${this.port(way)}`;
  }

  origin(way: Way, service: string): string {
    return `http://${this.host(way, service)}`;
  }

  /** One request as a browser sends it to a service of the session, over a connection of its own. */
  async ask(way: Way, service: string, path: string, options: Ask = {}): Promise<Answer> {
    const response = await this.open(way, service, path, options);
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    const { rawHeaders } = response;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      lines: (name) =>
        rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name.toLowerCase()),
      body: Buffer.concat(parts).toString(),
    };
  }

  /** The answer's head; its body is still to be read. */
  async open(
    way: Way,
    service: string,
    path: string,
    { method = "GET", headers = {}, body }: Ask = {},
  ): Promise<IncomingMessage> {
    const request = http.request({
      host: "127.0.0.1",
      port: this.port(way),
      path,
      method,
      agent: false,
      headers: { host: this.host(way, service), ...headers },
      signal: AbortSignal.timeout(30_000),
    });
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return response;
  }

  /** An open WebSocket to a service. */
  async socket(way: Way, service: string, path: string, protocols: string[] = []): Promise<WebSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port(way)}${path}`, protocols, {
      headers: { host: this.host(way, service) },
      origin: this.origin(way, service),
    });
    await once(socket, "open");
    return socket;
  }

  async stop(): Promise<void> {
    const worlds = Object.values(this.#worlds);
    await Promise.all(worlds.map(({ world }) => world[Symbol.asyncDispose]()));
    await this.#deployed.stop();
  }
}

interface Started {
  world: World;
  session: string;
  /** Of the local server, for browsers. */
  localPort: number;
}

async function startSession(
  kind: "direct" | "cloudflare",
  services: Record<string, string>,
  { domainOf, linkup }: Options,
  deployed: StartedService,
): Promise<Started> {
  const world = await World.create(kind === "direct" ? "direct" : "deployed");
  try {
    const names = Object.keys(services);
    for (const name of names)
      world.internet?.hosts.set(`${name}.example.org`, (_, response) => response.end("deployed"));
    const remote = (name: string) => (world.internet ? `http://${name}.example.org` : deployed.url);
    writeFileSync(
      world.configPath,
      `linkup:
  worker_url: http://127.0.0.1:${world.workerPort}
${linkup}services:
${names.map((name) => `  - name: ${name}\n    remote: ${remote(name)}\n    local: ${services[name]}\n`).join("")}
domains:
${names.map((name) => `  - domain: ${domainOf(name)}\n    default_service: ${name}\n`).join("")}`,
    );
    const { session_name } = await world.json<{ session_name: string }>("start", "--detach");
    const routed = await world.linkup("route", "local", "--all");
    if (routed.code !== 0) throw new Error(`linkup route ended with ${routed.code}:\n${routed.stderr}`);
    // Where browsers are sent that ask the local server: such a session's URL has its port.
    const aside = names.map((name) => `${name}=${services[name]}`);
    const isolated = ["create-isolated", BESIDE.isolated, ...aside];
    const { urls } = await world.json<{ urls: string[] }>("sessions", ...isolated);
    const localPort = Number(new URL(urls[0]!).port);
    await world.json("sessions", "create-preview", "--name", BESIDE.preview);
    return { world, session: session_name, localPort };
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}
