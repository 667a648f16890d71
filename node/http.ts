/** HTTP calls of Node code: to a URL, or over a Unix socket or named pipe. */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** A URL, or a path at the server that listens on a socket. */
export type CallTarget = string | { socketPath: string; path: string };

export interface CallOptions {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** Timeout of the whole call including the body; Infinity for a stream. Milliseconds. */
  timeoutMs: number;
  /** Aborts the call earlier. */
  signal?: AbortSignal | undefined;
  /** A certificate authority to trust instead of Node's own, as PEM. */
  ca?: string | undefined;
}

export interface TextResponse {
  status: number;
  text: string;
}

/** Upper bound of a response body, far above any of our own APIs'. */
const MAX_RESPONSE_BYTES = 32 * 1024 * 1024;

/** Resolves with the response's head. Rejects with Node's error, an `AbortError` when the time is over. */
export function open(endpoint: CallTarget, options: CallOptions): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  send(endpoint, options, resolve).on("error", reject);
  return promise;
}

/**
 * Resolves with the connection when the server has switched to this protocol. Rejects as `open` does, and when it
 * answers anything else.
 */
export function upgrade(endpoint: CallTarget, protocol: string, options: CallOptions): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const headers = { ...options.headers, connection: "Upgrade", upgrade: protocol };
  send(endpoint, { ...options, headers }, (response) => {
    response.destroy();
    reject(new Error(`The server does not speak ${protocol} (${response.statusCode}).`));
  })
    .on("upgrade", (_response, socket: Socket) => {
      // Its later errors are of no interest to who passes it on.
      socket.on("error", () => {});
      resolve(socket);
    })
    .on("error", reject);
  return promise;
}

function send(
  endpoint: CallTarget,
  options: CallOptions,
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  const { method = "GET", headers = {}, body, timeoutMs, signal, ca } = options;
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const signals = [
    ...(timeoutMs === Number.POSITIVE_INFINITY ? [] : [AbortSignal.timeout(timeoutMs)]),
    ...(signal ? [signal] : []),
  ];
  const settings = {
    method,
    agent: false,
    headers: {
      ...headers,
      ...(payload === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
    },
    ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
    ...(ca === undefined ? {} : { ca }),
  };
  const call =
    typeof endpoint !== "string"
      ? requestOf("http:")({ ...endpoint, ...settings }, onResponse)
      : requestOf(endpoint)(endpoint, settings, onResponse);
  call.end(payload);
  return call;
}

/** Both are loaded for the first call that needs them: TLS takes 3 MB of memory. */
function requestOf(url: string) {
  return process.getBuiltinModule(url.startsWith("https:") ? "node:https" : "node:http").request;
}

/** Reads the response whole. Rejects as `open` does, and for a response that is longer than any of ours. */
export async function readText(
  endpoint: CallTarget,
  options: CallOptions,
  maxBytes = MAX_RESPONSE_BYTES,
): Promise<TextResponse> {
  const response = await open(endpoint, options);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop destroys the response, and the connection with it.
    if (size > maxBytes) throw new ResponseTooLongError(maxBytes);
    chunks.push(chunk);
  }
  return { status: response.statusCode!, text: Buffer.concat(chunks).toString("utf8") };
}

/** The response exceeds the limit. */
export class ResponseTooLongError extends Error {
  constructor(maxBytes: number) {
    super(`its response is longer than ${maxBytes / 1024} KB`);
  }
}

export interface ResponseBeginning {
  status: number;
  headers: IncomingHttpHeaders;
  /** The first piece of an error's body (400 and more); empty otherwise. */
  text: string;
}

/** Resolves with the response's head and the first piece of an error's body. Rejects as `open` does. */
export async function readBeginning(endpoint: CallTarget, options: CallOptions): Promise<ResponseBeginning> {
  const response = await open(endpoint, options);
  const { headers } = response;
  const status = response.statusCode!;
  if (status >= 400)
    for await (const chunk of response as AsyncIterable<Buffer>)
      return { status, headers, text: chunk.toString("utf8") };
  response.destroy();
  return { status, headers, text: "" };
}

/** Resolves with the status; the body is not read. Rejects as `open` does. */
export async function readStatus(endpoint: CallTarget, options: CallOptions): Promise<number> {
  const response = await open(endpoint, options);
  response.destroy();
  return response.statusCode!;
}
