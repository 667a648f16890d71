/** Accepts HTTP/2, with TLS or without. */
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import { FieldsCache } from "../http/fields.ts";
import { HTTP2_LIMITS, HTTP2_SETTINGS, MAX_STREAMS } from "../http/limits.ts";
import { badRequest, type LocalFailure } from "../http/local-failures.ts";
import { rawHeaderLines } from "../node-internals.ts";
import type { ServeClient } from "./client.ts";
import { Http2Client } from "./http2-client.ts";
import { isHost } from "./request-target.ts";

/** A connection without streams for this long is closed. */
const IDLE_TIMEOUT_MS = 120_000;
/** Bytes in flight from a client in all its streams together. */
const CONNECTION_WINDOW = 1_048_576;

export interface ClosableHttp2Server extends Http2Server {
  /** Closes the connections without streams. */
  closeIdleConnections(): void;
}

export function http2Server(serve: ServeClient): ClosableHttp2Server {
  /** The open connections, and how many streams each has. */
  const connections = new Map<ServerHttp2Session, { streams: number }>();
  const server = createServer({
    ...HTTP2_LIMITS,
    settings: { ...HTTP2_SETTINGS, maxConcurrentStreams: MAX_STREAMS, enableConnectProtocol: true },
  });
  server.on("session", (session) => {
    session.setLocalWindowSize(CONNECTION_WINDOW);
    const open = { streams: 0 };
    connections.set(session, open);
    session.once("close", () => connections.delete(session));
    session.setTimeout(IDLE_TIMEOUT_MS, () => {
      if (open.streams === 0) session.close();
    });
    const cache = new FieldsCache();
    session.on("stream", (stream, headers, _flags, raw?: string[]) => {
      open.streams++;
      stream.on("close", () => open.streams--);
      const client = new Http2Client(stream, rawHeaderLines(headers, raw), cache);
      serve(client, refusal(client));
    });
  });
  return Object.assign(server, {
    closeIdleConnections() {
      for (const [session, { streams }] of connections) if (streams === 0) session.close();
    },
  });
}

/**
 * Method and path become an HTTP/1.1 request line: HTTP/2 could carry a space or a line break in them.
 * With a `Host` that differs from `:authority`, routing and service would see different hosts (RFC 9113, 8.3.1).
 */
function refusal({ method, target, host, fields }: Http2Client): LocalFailure | undefined {
  if (method === "CONNECT") return badRequest("CONNECT is not supported", 405);
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) return badRequest("its method is invalid");
  if (!/^(?:\/[!-\xff]*|\*)$/.test(target)) return badRequest("its path is invalid");
  if (!isHost(host)) return badRequest("its authority is invalid");
  if (fields.has("host") && fields.get("host") !== host)
    return badRequest("its Host header and its authority differ, so its destination is ambiguous");
  return undefined;
}
