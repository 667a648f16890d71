/** A stand-in of GitHub's API: pull requests and their comments, with the answers and limits that the action meets. */
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Comment {
  id: number;
  body: string;
  user: { login: string; type: "Bot" | "User" };
}

export class GitHubStandIn {
  readonly token = "ghs_token-of-the-job";
  readonly comments: Comment[] = [];
  state: "open" | "closed" = "open";
  /** What the job's token may do. */
  mayWrite = true;
  /** `POST /path` of each call. */
  readonly calls: string[] = [];
  readonly #server = http.createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  add(body: string, login: string, type: Comment["user"]["type"]): Comment {
    const comment = { id: this.comments.length + 1, body, user: { login, type } };
    this.comments.push(comment);
    return comment;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "" } = request;
    const url = new URL(request.url ?? "", this.url);
    this.calls.push(`${method} ${url.pathname}`);
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== `Bearer ${this.token}`)
      return void answer(401, { message: "Bad credentials" });
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { body = "" } = JSON.parse(Buffer.concat(parts).toString() || "{}") as { body?: string };
    const forbidden = () => answer(403, { message: "Resource not accessible by integration" });

    if (url.pathname === "/user") return void forbidden();
    if (url.pathname === "/repos/acme/shop/pulls/12") return void answer(200, { state: this.state });
    if (method !== "GET" && !this.mayWrite) return void forbidden();
    if (url.pathname === "/repos/acme/shop/issues/12/comments") {
      if (method === "POST") return void answer(201, this.add(body, "github-actions[bot]", "Bot"));
      const size = Number(url.searchParams.get("per_page") ?? 30);
      const start = (Number(url.searchParams.get("page") ?? 1) - 1) * size;
      return void answer(200, this.comments.slice(start, start + size));
    }
    const id = /^\/repos\/acme\/shop\/issues\/comments\/(\d+)$/.exec(url.pathname)?.[1];
    const comment = this.comments.find((candidate) => String(candidate.id) === id);
    if (!comment || method !== "PATCH") return void answer(404, { message: "Not Found" });
    comment.body = body;
    return void answer(200, comment);
  }
}
