/** Cloudflare's side of the stand-in's connections: knows the tunnels, and sends requests down to them. */
import { once } from "node:events";
import http2 from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export interface EdgeRequest {
  method: string;
  /** `Host` and path as the client sent them. */
  authority: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
}

export interface EdgeAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** What a Worker needs of an edge. */
export interface Tunnels {
  createTunnel(id: string, secret: string): void;
  has(tunnel: string): boolean;
  /** Sends a request down the tunnel; 530 when nobody serves it. */
  request(tunnel: string, request: EdgeRequest, body: Buffer): Promise<EdgeAnswer>;
}

export class Edge implements Tunnels {
  readonly #server: Server;
  /** Secret by tunnel. */
  readonly #tunnels = new Map<string, string>();
  readonly #connectors = new Map<string, { client: http2.ClientHttp2Session; socket: Socket }>();
  readonly #sockets = new Set<Socket>();
  /** How often a connector registered, and by which protocols. */
  readonly registered: string[] = [];
  /** Which of its own variables the last one had. */
  variables: string[] = [];
  /** Nobody gets through while this is set. */
  offline = false;
  /** Why nobody may register, while this is set. */
  refusal: string | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => this.#connected(socket));
  }

  static async start(): Promise<Edge> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Edge(server);
  }

  /** As TUNNEL_EDGE takes it. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  createTunnel(id: string, secret: string): void {
    this.#tunnels.set(id, secret);
  }

  has(tunnel: string): boolean {
    return this.#tunnels.has(tunnel);
  }

  /** Whoever serves it is refused from now on. */
  deleteTunnel(id: string): void {
    this.#tunnels.delete(id);
    this.#connectors.get(id)?.socket.destroy();
  }

  /** Cuts every connection, as a change of network does. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Opens a request down the tunnel, as the edge does; undefined when nobody serves it. */
  open(
    tunnel: string,
    { method, authority, path, headers }: EdgeRequest,
  ): http2.ClientHttp2Stream | undefined {
    const {
      connection: _,
      host: __,
      "transfer-encoding": ___,
      "keep-alive": ____,
      upgrade: _____,
      ...rest
    } = headers;
    const head = { ...rest, ":method": method, ":authority": authority, ":path": path };
    return this.#connectors.get(tunnel)?.client.request(head, { endStream: false });
  }

  async request(tunnel: string, request: EdgeRequest, body: Buffer): Promise<EdgeAnswer> {
    const stream = this.open(tunnel, request);
    if (!stream) return { status: 530, headers: {}, body: Buffer.from("error code: 1033") };
    stream.end(body);
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    try {
      const [answer] = (await once(stream, "response")) as [
        http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader,
      ];
      await once(stream, "end");
      const answered = Object.fromEntries(Object.entries(answer).filter(([name]) => !name.startsWith(":")));
      return {
        status: answer[":status"]!,
        headers: answered as EdgeAnswer["headers"],
        body: Buffer.concat(chunks),
      };
    } catch (error) {
      return { status: 530, headers: {}, body: Buffer.from(String(error)) };
    }
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.dropConnections();
    await once(this.#server, "close");
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.offline) {
      socket.destroy();
      return;
    }
    socket.once("data", (line) => {
      const { tunnel, secret, protocol, variables } = JSON.parse(line.toString("utf8"));
      this.variables = variables;
      const isKnown = this.#tunnels.get(tunnel) === secret;
      const error = this.refusal ?? (isKnown ? undefined : "Unauthorized: Failed to get tunnel");
      if (error) {
        socket.end(`${JSON.stringify({ error })}\n`);
        return;
      }
      this.registered.push(protocol);
      socket.write(`${JSON.stringify({})}\n`);
      // At once: what the other end sends next is for the HTTP/2 session.
      const client = http2.connect("http://edge", { createConnection: () => socket });
      client.on("error", () => {});
      this.#connectors.set(tunnel, { client, socket });
      socket.once("close", () => {
        if (this.#connectors.get(tunnel)?.socket === socket) this.#connectors.delete(tunnel);
      });
    });
  }
}
