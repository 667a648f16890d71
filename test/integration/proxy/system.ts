/** A local server with one session in front of two services: one well-behaved, one that does what a test says. */
import { mkdirSync, writeFileSync } from "node:fs";
import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, createServer as createTcp, type Socket, type Server as TcpServer } from "node:net";
import { join } from "node:path";
import { createAuthority } from "../../../core/certificates/certificate-authority.ts";
import { residentBytes } from "../../support/processes.ts";
import {
  newHome,
  type RunningServer,
  standInPublicOriginBundle,
  startLocalServer,
} from "../local-server/harness.ts";

export const SESSION = "slim-gecko";
/** The host of the well-behaved service, and of the other one. */
export const APP = `${SESSION}.example.com`;
export const WILD = `${SESSION}.wild.example.com`;

export class System {
  readonly server: RunningServer;
  readonly app: App;
  readonly wild: Wild;
  /** What clients of its TLS have to trust. */
  readonly ca: string;

  constructor(server: RunningServer, app: App, wild: Wild, ca: string) {
    this.server = server;
    this.app = app;
    this.wild = wild;
    this.ca = ca;
  }

  get port(): number {
    return this.server.status.browser_port;
  }

  /** Bytes of memory that the local server takes, from the kernel. */
  memory(): number {
    return residentBytes(this.server.process.pid!);
  }

  async stop(): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.app.close();
    this.wild.close();
  }
}

/**
 * `edge`: where on this machine hosts at the edge are served, and the file with the authority of their certificates.
 * `env`: further variables of the local server's environment.
 */
export async function startSystem(
  options: {
    originSecret?: string;
    edge?: { port: number; authority: string };
    env?: Record<string, string>;
  } = {},
): Promise<System> {
  const home = newHome();
  const authority = await createAuthority(["example.com"], Date.now());
  mkdirSync(join(home, "certificates"), { mode: 0o700 });
  writeFileSync(join(home, "certificates", "authority.crt.pem"), authority.certificate);
  writeFileSync(join(home, "certificates", "authority.key.pem"), authority.key, { mode: 0o600 });

  const app = new App();
  const wild = new Wild();
  await Promise.all([app.ready, wild.ready]);
  const { edge, env } = options;
  const server = await startLocalServer(undefined, {
    home,
    env: {
      ...env,
      ...(edge && { STAND_IN_PUBLIC_ORIGIN_PORT: String(edge.port), NODE_EXTRA_CA_CERTS: edge.authority }),
    },
    ...(edge && { bundle: standInPublicOriginBundle() }),
  });
  await server.control("PUT", "/v1/leases/test", { ttl_ms: null });
  const system = new System(server, app, wild, authority.certificate);
  await putSession(system, options);
  return system;
}

export async function putSession(
  { server, app, wild }: Pick<System, "server" | "app" | "wild">,
  {
    originSecret,
    services = {},
    session = {},
    served = {},
  }: {
    originSecret?: string;
    /** Further members of the service `app`, of the session, and of what is served. */
    services?: Record<string, unknown>;
    session?: Record<string, unknown>;
    served?: Record<string, unknown>;
  } = {},
): Promise<void> {
  const { status, body } = await server.control("PUT", `/v1/sessions/${SESSION}`, {
    session: {
      session_token: "owner",
      services: [
        { name: "app", location: `http://localhost:${app.port}`, ...services },
        { name: "wild", location: `http://localhost:${wild.port}` },
      ],
      domains: [
        { domain: "example.com", default_service: "app" },
        { domain: "wild.example.com", default_service: "wild" },
      ],
      cache_routes: ["^/static/"],
      ...session,
    },
    origin_secret: originSecret ?? null,
    config_path: null,
    ...served,
  });
  if (status !== 200) throw new Error(`The session was refused: ${JSON.stringify(body)}`);
}

/** A request as the service saw it. */
export interface ProxiedRequest {
  method: string;
  url: string;
  rawHeaders: string[];
  headers: IncomingMessage["headers"];
  trailers: string[];
  body: string;
}

/** A service on node:http: answers with the request it saw, unless a test gives it something else to do. */
class App {
  readonly #server: Server;
  readonly ready: Promise<unknown>;
  handler: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Connections accepted so far. */
  connections = 0;
  /** Requests under way. */
  active = 0;

  constructor() {
    this.#server = createHttp({ maxHeaderSize: 131_072, keepAliveTimeout: 30_000 }, (request, response) => {
      this.active++;
      response.once("close", () => this.active--);
      if (this.handler) this.handler(request, response);
      else echo(request, response);
    });
    this.#server.on("connection", () => this.connections++);
    this.ready = new Promise((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve(undefined)));
  }

  get server(): Server {
    return this.#server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const { method, url, rawHeaders, headers, rawTrailers } = request;
    const body = Buffer.concat(chunks).toString("latin1");
    const seen = JSON.stringify({ method, url, rawHeaders, headers, trailers: rawTrailers, body });
    response.setHeader("content-type", "application/json");
    response.end(seen);
  });
}

/** A service on a bare socket: `script` gets each connection once its first request's head has come. */
export class Wild {
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();
  readonly ready: Promise<unknown>;
  script: (socket: Socket, head: string, rest: Buffer) => void = (socket) => socket.destroy();
  connections = 0;

  constructor() {
    this.#server = createTcp({ allowHalfOpen: true }, (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
      this.#onHead(socket);
    });
    this.ready = new Promise((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve(undefined)));
  }

  #onHead(socket: Socket): void {
    let bytes = Buffer.alloc(0);
    const read = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end === -1) return;
      socket.off("data", read);
      const head = bytes.toString("latin1", 0, end + 4);
      this.script(socket, head, bytes.subarray(end + 4));
    };
    socket.on("data", read);
    socket.on("end", () => {
      if (!socket.writableEnded) socket.end();
    });
  }

  /** Connections open now. */
  get open(): number {
    return this.#sockets.size;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Waits until it is so: for what happens in another process there is no event to wait for. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
