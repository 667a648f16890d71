/** Accepts HTTP/1. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { http1Lines } from "../http/fields.ts";
import { HEAD_TIMEOUT_MS, MAX_HEADER_SIZE } from "../http/limits.ts";
import { badRequest, type LocalFailure } from "../http/local-failures.ts";
import { answerHalfClosed, checkTimeouts, isResponding } from "../node-internals.ts";
import type { ServeClient } from "./client.ts";
import { probeHalfClosed } from "./half-closed.ts";
import { Http1Client } from "./http1-client.ts";
import { isHost } from "./request-target.ts";
import { UpgradedClient } from "./upgraded-client.ts";

export function http1Server(serve: ServeClient): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_SIZE,
    noDelay: true,
    // A body may take any time.
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: 0,
    connectionsCheckingInterval: 5_000,
    keepAliveTimeout: 65_000,
    // A missing Host header is refused below, with an explanation.
    requireHostHeader: false,
  });
  server.maxHeadersCount = 0;
  // Its connections come from the listener that detects the protocol.
  checkTimeouts(server);
  answerHalfClosed(server);
  // A request that is parsed again brings its connection once more.
  server.on("connection", (socket) => socket.off("end", probeHalfClosed).on("end", probeHalfClosed));
  const request = (...[message, response]: ConstructorParameters<typeof Http1Client>) => {
    // A request line without a version is HTTP/0.9, which has no headers.
    if (message.httpVersionMajor !== 1)
      return close(message.socket, "400 Bad Request", "Not an HTTP/1.x request.");
    const client = new Http1Client(message, response);
    const failure = refusal(client);
    // Where the next request would begin is as doubtful.
    if (failure) response.shouldKeepAlive = false;
    serve(client, failure);
  };
  server.on("request", request);
  // The service decides about `Expect`.
  server.on("checkContinue", request);
  server.on("checkExpectation", request);
  server.on("upgrade", (message, socket, early) => {
    if (switchable(message)) {
      const client = new UpgradedClient(message, socket, early);
      return serve(client, refusal(client));
    }
    // A server may ignore `Upgrade` (RFC 9110, 7.8): parse the same request again, without it.
    socket.unshift(Buffer.concat([Buffer.from(withoutUpgrade(message), "latin1"), early]));
    server.emit("connection", socket);
    socket.resume();
  });
  server.on("connect", (_message, socket) =>
    close(socket, "405 Method Not Allowed", "CONNECT is not supported."),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === "ECONNRESET" || isResponding(socket)) return socket.destroy();
    const status = CLIENT_ERRORS[error.code ?? ""] ?? "400 Bad Request";
    close(socket, status, `Linkup could not read this request: ${error.message}.`);
  });
  return server;
}

const CLIENT_ERRORS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

function close(socket: Duplex, status: string, text: string): void {
  socket.on("error", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text) + 1}\r\n\r\n${text}\n`,
    () => socket.destroy(),
  );
}

/** RFC 9112, 3.2 and 6.1: this proxy and the service must agree on where a request goes and how long it is. */
function refusal({ protocol, fields }: Http1Client): LocalFailure | undefined {
  const { names } = fields;
  if (names.indexOf("host") !== names.lastIndexOf("host"))
    return badRequest("it has more than one Host header, so its destination is ambiguous");
  const host = fields.get("host");
  if (host === undefined && protocol === "HTTP/1.1") return badRequest("it has no Host header");
  if (host !== undefined && !isHost(host)) return badRequest("its Host header is invalid");
  if (!fields.has("transfer-encoding")) return undefined;
  if (protocol === "HTTP/1.0") return badRequest("HTTP/1.0 has no Transfer-Encoding");
  const codings = fields.list("transfer-encoding").join(", ");
  return codings === "chunked"
    ? undefined
    : badRequest(`the only supported Transfer-Encoding is "chunked"`, 501);
}

/** h2c would hide further requests from this proxy, and a body could not be told from the bytes after the switch. */
function switchable({ headers }: IncomingMessage): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
  return !hasBody && !/(?:^|,)\s*(?:h2c|tls\/)/i.test(headers.upgrade ?? "");
}

function withoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const kept = rawHeaders.filter((_, i) => !/^(?:upgrade|http2-settings)$/i.test(rawHeaders[i & ~1]!));
  return `${method} ${url} HTTP/${httpVersion}\r\n${http1Lines(kept)}\r\n`;
}
