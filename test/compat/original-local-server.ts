/**
 * A local server of the original, from the contract's text: one port for the browser, the tunnel and its own calls,
 * routing by sections 3 to 5, and no idea of secrets.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { addedBy, type ContractSession, type ContractTarget, sessionOf, targetOf } from "./contract.ts";

export class OriginalLocalServer {
  readonly sessions = new Map<string, ContractSession>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (incoming, response) => this.#serve(incoming, response));
    server.on("upgrade", (incoming, socket: Socket) => this.#upgrade(incoming, socket));
  }

  static async start(): Promise<OriginalLocalServer> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new OriginalLocalServer(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #target(
    incoming: IncomingMessage,
  ): { status: 422 | 404 } | { status: 200; target: ContractTarget; headers: object } {
    const headers = Object.fromEntries(
      Object.entries(incoming.headersDistinct).map(([name, values]) => [name, values!.join(", ")]),
    );
    const asked = { host: incoming.headers.host!, target: incoming.url!, headers };
    const name = sessionOf(asked, (name) => this.sessions.has(name));
    if (name === undefined) return { status: 422 };
    const target = targetOf(name, this.sessions.get(name)!, asked);
    if (!target) return { status: 404 };
    return {
      status: 200,
      target,
      headers: { ...headers, ...addedBy(name, target, asked), host: new URL(target.origin).host },
    };
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const found = this.#target(incoming);
    if (found.status !== 200) {
      response.writeHead(found.status).end();
      return;
    }
    const call = this.#call(incoming, found);
    call.on("response", (answer) => {
      response.writeHead(answer.statusCode!, answer.rawHeaders);
      answer.pipe(response);
    });
    call.on("error", () => response.writeHead(502).end());
    incoming.pipe(call);
  }

  #upgrade(incoming: IncomingMessage, socket: Socket): void {
    const found = this.#target(incoming);
    socket.on("error", () => {});
    if (found.status !== 200) {
      socket.destroy();
      return;
    }
    const call = this.#call(incoming, found);
    call.on("upgrade", ({ rawHeaders }, upstream: Socket) => {
      const lines = rawHeaders.reduce((text, part, i) => text + part + (i % 2 ? "\r\n" : ": "), "");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
      upstream.on("error", () => socket.destroy());
      upstream.pipe(socket).pipe(upstream);
    });
    call.on("error", () => socket.destroy());
    call.end();
  }

  #call({ method }: IncomingMessage, { target, headers }: { target: ContractTarget; headers: object }) {
    const { hostname, port } = new URL(target.origin);
    return request({
      method,
      hostname,
      port,
      path: target.target,
      headers: headers as Record<string, string>,
      setHost: false,
      agent: false,
    });
  }
}
