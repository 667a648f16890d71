/** Accepts HTTP/1.1. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { badRequest, type Failure } from "../http/failures.ts";
import type { Serve } from "./front.ts";
import { Http1Client } from "./http1-client.ts";
import { UpgradedClient } from "./upgraded-client.ts";

/** Cookies of `localhost` are shared by all its ports, so heads grow large on a developer's machine. */
export const MAX_HEADER_SIZE = 131_072;

/** How long a request's head may take. */
export const HEAD_MS = 10_000;

export function http1Front(serve: Serve): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_SIZE,
    noDelay: true,
    // A head has to arrive soon; a body may take its time.
    headersTimeout: HEAD_MS,
    requestTimeout: 0,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 65_000,
    // It is refused with more words than Node has for it.
    requireHostHeader: false,
  });
  server.maxHeadersCount = 0;
  // It gets its connections from other listeners; this makes it watch over their time-outs all the same.
  server.emit("listening");
  const request = (...[message, response]: ConstructorParameters<typeof Http1Client>) => {
    // A request line without a version is HTTP/0.9, which has no headers to go by.
    if (message.httpVersionMajor !== 1)
      return close(message.socket, "400 Bad Request", "This is no HTTP/1 request.");
    const client = new Http1Client(message, response);
    const problem = refusal(client);
    // Where the next request begins is as doubtful.
    if (problem) response.shouldKeepAlive = false;
    serve(client, problem);
  };
  server.on("request", request);
  // `Expect` is for the service to answer.
  server.on("checkContinue", request);
  server.on("checkExpectation", request);
  server.on("upgrade", (message, socket, early) => {
    if (switchable(message)) {
      const client = new UpgradedClient(message, socket, early);
      return serve(client, refusal(client));
    }
    // To ignore the wish is allowed (RFC 9110, 7.8): the same request once more, without it.
    socket.unshift(Buffer.concat([Buffer.from(withoutUpgrade(message), "latin1"), early]));
    server.emit("connection", socket);
    socket.resume();
  });
  server.on("connect", (_message, socket) =>
    close(socket, "405 Method Not Allowed", "There is no proxying by CONNECT here."),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === "ECONNRESET" || isAnswering(socket)) return socket.destroy();
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

/** An error in the middle of another answer would be read as a part of it. Node's own handler looks at the same. */
function isAnswering(socket: Duplex & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent ?? false;
}

/** RFC 9112, 3.2 and 6.1: where it goes and how long it is must be the same for this proxy and the next reader. */
function refusal({ protocol, fields }: Http1Client): Failure | undefined {
  const { names } = fields;
  if (names.indexOf("host") !== names.lastIndexOf("host"))
    return badRequest("it has more than one Host header, so nobody can say where it is meant to go");
  const host = fields.get("host");
  if (host === undefined && protocol === "HTTP/1.1") return badRequest("it has no Host header");
  if (host !== undefined && !isHost(host)) return badRequest("its Host header is no host");
  if (!fields.has("transfer-encoding")) return undefined;
  if (protocol === "HTTP/1.0") return badRequest("HTTP/1.0 has no Transfer-Encoding");
  const codings = fields.list("transfer-encoding").join(", ");
  return codings === "chunked"
    ? undefined
    : badRequest(`its Transfer-Encoding is not only "chunked", which is all that is known here`, 501);
}

/** A host as RFC 3986 has it, with or without port: a name, maybe empty, or an address. */
export function isHost(text: string): boolean {
  return /^(?:\[[\w:.%~-]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/.test(text);
}

/** h2c would hide further requests from this proxy, and a body cannot be told from what follows the switch. */
function switchable({ headers }: IncomingMessage): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
  return !hasBody && !/(?:^|,)\s*(?:h2c|tls\/)/i.test(headers.upgrade ?? "");
}

function withoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (!/^(?:upgrade|http2-settings)$/i.test(rawHeaders[i]!))
      head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  return `${head}\r\n`;
}
