/** Accepts HTTP/1. */
import type { Socket } from "node:net";
import { HEAD_TIMEOUT_MS } from "../http/limits.ts";
import { badRequest, type LocalFailure } from "../http/local-failures.ts";
import { isHost } from "../http/request-target.ts";
import type { ServeClient } from "./client.ts";
import type { Http1Client } from "./http1-client.ts";
import { Http1ClientConnection, type Http1Service } from "./http1-client-connection.ts";

/** How often connections are checked for how long they take. */
const CHECK_MS = 5_000;

export class Http1Server implements Http1Service {
  readonly #serve: ServeClient;
  readonly #connections = new Set<Http1ClientConnection>();
  #timer: NodeJS.Timeout | undefined;

  constructor(serve: ServeClient) {
    this.#serve = serve;
  }

  accept(socket: Socket): void {
    this.#connections.add(new Http1ClientConnection(socket, this));
    this.#timer ??= setInterval(() => this.tick(), CHECK_MS).unref();
  }

  /** Checks how long the connections take. Public for tests, which cannot wait for minutes. */
  tick(): void {
    for (const connection of this.#connections) connection.tick(CHECK_MS, HEAD_TIMEOUT_MS);
  }

  request(client: Http1Client, connection: Http1ClientConnection): void {
    const failure = refusal(client);
    if (failure) connection.stopReading();
    this.#serve(client, failure);
  }

  left(connection: Http1ClientConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Closes the connections without requests. */
  closeIdleConnections(): void {
    for (const connection of this.#connections) if (connection.isIdle) connection.destroy(false);
  }
}

/** RFC 9112, 3.2 and 6.1: this proxy and the service must agree on where a request goes and how long it is. */
function refusal({
  protocol,
  method,
  host: authority,
  target,
  fields,
}: Http1Client): LocalFailure | undefined {
  const { names } = fields;
  if (names.indexOf("host") !== names.lastIndexOf("host"))
    return badRequest("it has more than one Host header, so its destination is ambiguous");
  const host = fields.get("host");
  if (host === undefined && protocol === "HTTP/1.1") return badRequest("it has no Host header");
  if (host !== undefined && !isHost(host)) return badRequest("its Host header is invalid");
  if (!isHost(authority)) return badRequest("the host of its target is invalid");
  if (!target.startsWith("/") && !(target === "*" && method === "OPTIONS"))
    return badRequest("its target is neither a path nor an URL");
  if (!fields.has("transfer-encoding")) return undefined;
  if (protocol === "HTTP/1.0") return badRequest("HTTP/1.0 has no Transfer-Encoding");
  const codings = fields.list("transfer-encoding").join(", ");
  return codings === "chunked"
    ? undefined
    : badRequest(`the only supported Transfer-Encoding is "chunked"`, 501);
}
