/** Accepts HTTP/2, with TLS or without. */
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import { badRequest, type Failure } from "../http/failures.ts";
import { HTTP2_LIMITS, HTTP2_SETTINGS, MAX_STREAMS } from "../http/http2-limits.ts";
import type { Serve } from "./front.ts";
import { isHost } from "./http1-front.ts";
import { Http2Client } from "./http2-client.ts";

/** A session without any stream for this long is closed. */
const IDLE_MS = 120_000;
/** Bytes that a client may have under way to us in all its streams. */
const SESSION_WINDOW = 1_048_576;

export function http2Front(serve: Serve): Http2Server {
  const server = createServer({
    ...HTTP2_LIMITS,
    settings: { ...HTTP2_SETTINGS, maxConcurrentStreams: MAX_STREAMS, enableConnectProtocol: true },
  });
  server.on("session", (session) => {
    session.setLocalWindowSize(SESSION_WINDOW);
    closeWhenIdle(session);
  });
  server.on("stream", (stream, _headers, _flags, raw) => {
    const client = new Http2Client(stream, raw);
    serve(client, refusal(client));
  });
  return server;
}

/**
 * What becomes an HTTP/1.1 request line must be fit for one: HTTP/2 could carry a space or a line break here.
 * A `Host` beside another `:authority` would make routing and service see different hosts (RFC 9113, 8.3.1).
 */
function refusal({ method, target, host, fields }: Http2Client): Failure | undefined {
  if (method === "CONNECT") return badRequest("there is no proxying by CONNECT here", 405);
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) return badRequest("its method is none");
  if (!/^(?:\/[!-\xff]*|\*)$/.test(target)) return badRequest("its path is none");
  if (!isHost(host)) return badRequest("its authority is no host");
  if (fields.has("host") && fields.get("host") !== host)
    return badRequest("its Host header and its authority differ, so nobody can say where it is meant to go");
  return undefined;
}

function closeWhenIdle(session: ServerHttp2Session): void {
  let streams = 0;
  session.on("stream", (stream) => {
    streams++;
    stream.once("close", () => streams--);
  });
  session.setTimeout(IDLE_MS, () => {
    if (streams === 0) session.close();
  });
}
