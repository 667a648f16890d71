/**
 * A Worker as the original has it, as far as its clients can see: API v2 without capabilities, a name by token,
 * a Cloudflare tunnel for what is on localhost, no secret for the origin. It stands before an `Edge`.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TunnelData } from "../../../core/api/worker-api.ts";
import { sessionCandidates } from "../../../core/routing/identify-session.ts";
import { addedHeaders } from "../../../core/routing/proxy-headers.ts";
import { route } from "../../../core/routing/route-request.ts";
import { parseUpsert } from "../../../core/session/parse-session.ts";
import type { Routing } from "../../../core/session/session-document.ts";
import { animalName } from "../../../core/session/session-name.ts";
import type { Edge } from "./edge.ts";

interface Known {
  token: string;
  routing: Routing;
  tunnel: TunnelData;
}

export class OriginalTunnelWorker {
  readonly sessions = new Map<string, Known>();
  /** An invalid id to report for a new tunnel. */
  wrongId: string | undefined;
  readonly #server: Server;
  readonly #edge: Edge;
  readonly #token: string;

  private constructor(server: Server, edge: Edge, token: string) {
    this.#server = server;
    this.#edge = edge;
    this.#token = token;
    server.on("request", (incoming, response) => void this.#serve(incoming, response));
  }

  static async start(edge: Edge, token: string): Promise<OriginalTunnelWorker> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new OriginalTunnelWorker(server, edge, token);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const isUpsert = incoming.method === "POST" && incoming.url === "/linkup/v2/sessions/tunneled";
    if (incoming.url === "/linkup/check" || isUpsert) {
      if (incoming.headers.authorization !== `Bearer ${this.#token}`)
        response.writeHead(401).end("Unauthorized");
      else if (isUpsert) this.#upsert(JSON.parse(body.toString("utf8")), response);
      else response.end("OK");
      return;
    }
    await this.#proxy(incoming, body, response);
  }

  #upsert(json: unknown, response: ServerResponse): void {
    const parsed = parseUpsert(json);
    if (!parsed.ok) {
      response.writeHead(422).end(parsed.errors.join("\n"));
      return;
    }
    const { desired_name, session_token, ...routing } = parsed.value;
    const name = desired_name ?? animalName();
    const token = session_token ?? "";
    const before = this.sessions.get(name);
    if (before && before.token !== token) {
      response.writeHead(500).end("Failed to store server config: Session with name already exists");
      return;
    }
    const tunnel = before && this.#edge.has(before.tunnel.id) ? before.tunnel : this.#newTunnel(name);
    this.sessions.set(name, { token, routing, tunnel });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ session_name: name, tunnel_data: tunnel }));
  }

  #newTunnel(name: string): TunnelData {
    const id = randomUUID();
    const secret = randomBytes(32).toString("base64");
    this.#edge.createTunnel(id, secret);
    return {
      account_id: "account",
      name: `tunnel-${name}`,
      url: `https://tunnel-${name}.example.com`,
      id: this.wrongId ?? id,
      secret,
      last_started: Date.now(),
    };
  }

  async #proxy(incoming: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const header = (name: string) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    };
    const head = { host: incoming.headers.host!, target: incoming.url!, header };
    const name = sessionCandidates(head).find(({ name }) => this.sessions.has(name))?.name;
    if (name === undefined) {
      response.writeHead(422).end("Linkup was unable to determine the session origin of the request.");
      return;
    }
    const { routing, tunnel } = this.sessions.get(name)!;
    const decision = route(name, routing, head);
    if (decision.outcome !== "routed") {
      response.writeHead(404).end();
      return;
    }
    const headers = {
      ...incoming.headers,
      ...Object.fromEntries(addedHeaders(name, routing, decision, head)),
    };
    const method = incoming.method!;
    const { hostname } = new URL(decision.origin);
    if (hostname === "localhost") {
      const authority = new URL(tunnel.url).host;
      const answer = await this.#edge.request(
        tunnel.id,
        { method, authority, path: decision.target, headers },
        body,
      );
      response.writeHead(answer.status, answer.headers).end(answer.body);
      return;
    }
    const { host: _, ...others } = headers;
    request(
      new URL(decision.target, decision.origin),
      { method, headers: others, agent: false },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      },
    )
      .on("error", () => response.writeHead(502).end())
      .end(body);
  }
}
