/** Accepts HTTP/2, with TLS or without. */
import type { Socket } from "node:net";
import { badRequest, type LocalFailure } from "../http/local-failures.ts";
import type { ServeClient } from "./client.ts";
import { ClientConnection } from "./client-connection.ts";
import type { Http2Client } from "./http2-client.ts";

export class Http2Server {
  readonly #serve: ServeClient;
  readonly #connections = new Set<ClientConnection>();

  constructor(serve: ServeClient) {
    this.#serve = serve;
  }

  accept(socket: Socket): void {
    const connection = new ClientConnection(socket, (client, isTooLarge) =>
      this.#serve(client, isTooLarge ? TOO_LARGE : refusal(client)),
    );
    this.#connections.add(connection);
    socket.once("close", () => this.#connections.delete(connection));
    socket.resume();
  }

  /** Closes the connections without streams. */
  closeIdleConnections(): void {
    for (const connection of this.#connections) connection.closeIfIdle();
  }
}

const TOO_LARGE = badRequest("its header section is larger than 128 KB", 431);

/** With a `Host` that differs from `:authority`, routing and service would see different hosts (RFC 9113, 8.3.1). */
function refusal({ method, host, fields }: Http2Client): LocalFailure | undefined {
  if (method === "CONNECT") return badRequest("CONNECT is not supported", 405);
  if (fields.has("host") && fields.get("host") !== host)
    return badRequest("its Host header and its authority differ, so its destination is ambiguous");
  return undefined;
}
