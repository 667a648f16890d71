/**
 * Cloudflare's edge, for a real cloudflared or the stand-in: knows the tunnels, and sends requests down to them. cloudflared
 * opens TLS connections, and on each of them the edge is the client of HTTP/2. The first stream is the control stream,
 * where cloudflared registers; the others are requests. docs/contribute/testing.md tells what goes over the wire.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { createAuthority, issueLeaf } from "../../../core/certificates/certificate-authority.ts";
import {
  type ConnectionRegistration,
  Method,
  messageReader,
  parseHeaders,
  RESPONSE_HEADERS,
  type RpcMessage,
  returnNothing,
  returnRefused,
  returnRegistered,
  returnServer,
  UPGRADE,
} from "./tunnel-rpc.ts";

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

/** cloudflared asks for `h2.cftunnel.com`. */
const DOMAIN = "cftunnel.com";
/** cloudflared wants two places to connect to. */
const ADDRESSES = ["127.0.0.1", "127.0.0.2"];

interface Connector {
  client: http2.ClientHttp2Session;
  socket: TLSSocket;
}

export class Edge {
  readonly #servers: Server[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "linkup-edge-"));
  readonly #tunnels = new Map<string, string>();
  /** By tunnel; the newest connection last. */
  readonly #connectors = new Map<string, Connector[]>();
  readonly #sockets = new Set<TLSSocket>();
  /** The stand-in's protocol of each registration; of a real cloudflared its platform. */
  readonly registered: string[] = [];
  /** Every attempt to register, refused ones included. */
  attempts = 0;
  /** Which of its own variables the last stand-in had. */
  variables: string[] = [];
  /** Nobody gets through while this is set. */
  offline = false;
  /** Requests get lost while this is set, though connections stay. */
  deaf = false;
  /** Why nobody may register, while this is set. */
  refusal: string | undefined;

  static async start(): Promise<Edge> {
    const edge = new Edge();
    const authority = await createAuthority([DOMAIN], Date.now());
    const { certificate, key } = await issueLeaf(authority, DOMAIN, Date.now());
    writeFileSync(edge.authorityFile, authority.certificate);
    let port = 0;
    for (const host of ADDRESSES) {
      const server = createServer({ cert: certificate, key, minVersion: "TLSv1.3" });
      server.on("secureConnection", (socket) => edge.#connected(socket));
      server.on("tlsClientError", () => {});
      try {
        server.listen(port, host);
        await once(server, "listening");
      } catch (error) {
        // Not every system has more than one loopback address.
        if (port === 0) throw error;
        continue;
      }
      port = (server.address() as AddressInfo).port;
      edge.#servers.push(server);
    }
    return edge;
  }

  /** The environment that leads cloudflared here. */
  get environment(): { TUNNEL_EDGE: string; TUNNEL_CACERT: string; TUNNEL_NO_PRECHECKS: string } {
    const addresses = this.#servers.map((server) => server.address() as AddressInfo);
    return {
      TUNNEL_EDGE: addresses.map(({ address, port }) => `${address}:${port}`).join(","),
      TUNNEL_CACERT: this.authorityFile,
      TUNNEL_NO_PRECHECKS: "true",
    };
  }

  get authorityFile(): string {
    return join(this.#folder, "ca.pem");
  }

  createTunnel(id: string, secret: string): void {
    this.#tunnels.set(id, secret);
  }

  has(tunnel: string): boolean {
    return this.#tunnels.has(tunnel);
  }

  isConnected(tunnel: string): boolean {
    return this.#connectors.has(tunnel);
  }

  /** Whoever serves it is refused from now on. */
  deleteTunnel(id: string): void {
    this.#tunnels.delete(id);
    this.disconnect(id);
  }

  disconnect(id: string): void {
    for (const { socket } of [...(this.#connectors.get(id) ?? [])]) socket.destroy();
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
    // Go takes a body of unknown length for one that is there.
    const endStream = /^(GET|HEAD)$/.test(method) && rest[UPGRADE] === undefined;
    return this.#connectors.get(tunnel)?.at(-1)?.client.request(head, { endStream });
  }

  /** Sends a request down the tunnel; 530 when nobody serves it, and no answer while the edge is deaf. */
  async request(tunnel: string, request: EdgeRequest, body: Buffer): Promise<EdgeAnswer> {
    const stream = this.open(tunnel, request);
    if (!stream) return { status: 530, headers: {}, body: Buffer.from("error code: 1033") };
    if (this.deaf) {
      stream.close();
      return new Promise(() => {});
    }
    if (stream.writable) stream.end(body);
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    try {
      const [answer] = (await once(stream, "response")) as [
        http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader,
      ];
      await once(stream, "end");
      return { status: answer[":status"]!, headers: responseHeaders(answer), body: Buffer.concat(chunks) };
    } catch (error) {
      return { status: 530, headers: {}, body: Buffer.from(String(error)) };
    }
  }

  async stop(): Promise<void> {
    const closed = this.#servers.map((server) => once(server.close(), "close"));
    this.dropConnections();
    await Promise.all(closed);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #connected(socket: TLSSocket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.offline) {
      socket.destroy();
      return;
    }
    const client = http2.connect("https://localhost", { createConnection: () => socket });
    client.on("error", () => {});
    const control = client.request({ ":path": "/", [UPGRADE]: "control-stream" }, { endStream: false });
    control.on("error", () => {});
    const readMessages = messageReader();
    control.on("data", (chunk: Buffer) => {
      for (const message of readMessages(chunk)) this.#answer(message, { client, socket }, control);
    });
  }

  #answer(message: RpcMessage, connector: Connector, control: http2.ClientHttp2Stream): void {
    if (message.kind === "bootstrap") control.write(returnServer(message.question));
    if (message.kind !== "call") return;
    const { question, method, registration } = message;
    if (method === Method.register && registration) {
      const error = this.#register(registration, connector);
      if (error === undefined) {
        control.write(returnRegistered(question, randomBytes(16), "here"));
        return;
      }
      control.write(returnRefused(question, error, error.startsWith("Unauthorized")));
      // The answer first: cloudflared waits for the end of a refused connection.
      setTimeout(() => connector.client.destroy(), 50);
      return;
    }
    control.write(returnNothing(question));
    if (method !== Method.unregister) return;
    this.#forget(connector);
    // Requests in flight are answered before the connection ends.
    control.end();
    connector.client.close();
  }

  /** Why it may not register; undefined when it may. */
  #register({ tunnel, secret, arch }: ConnectionRegistration, connector: Connector): string | undefined {
    this.attempts++;
    const error =
      this.refusal ??
      (this.#tunnels.get(tunnel) === secret ? undefined : "Unauthorized: Failed to get tunnel");
    if (error) return error;
    const standIn = arch.startsWith("{") ? JSON.parse(arch) : { protocol: arch, variables: [] };
    this.registered.push(standIn.protocol);
    this.variables = standIn.variables;
    this.#connectors.set(tunnel, [...(this.#connectors.get(tunnel) ?? []), connector]);
    connector.socket.once("close", () => this.#forget(connector));
    return undefined;
  }

  #forget({ socket }: Connector): void {
    for (const [tunnel, connectors] of this.#connectors) {
      const others = connectors.filter((other) => other.socket !== socket);
      if (others.length > 0) this.#connectors.set(tunnel, others);
      else this.#connectors.delete(tunnel);
    }
  }
}

/** Those of the origin, which cloudflared puts into one header, and those that HTTP/2 itself needs. */
export function responseHeaders(answer: http2.IncomingHttpHeaders): EdgeAnswer["headers"] {
  const headers: Record<string, string | string[]> = {};
  const length = answer["content-length"];
  if (length !== undefined) headers["content-length"] = length;
  for (const [name, value] of parseHeaders(String(answer[RESPONSE_HEADERS] ?? ""))) {
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
