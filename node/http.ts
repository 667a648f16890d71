/** HTTP calls of Node code: to a URL, or over a Unix socket or named pipe. */
import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { forwardProxy, forwardProxyTo } from "./forward-proxy.ts";

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
  ca?: string | string[] | undefined;
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
  send(endpoint, options, { response: resolve, error: reject });
  return promise;
}

/**
 * Resolves with the connection when the server has switched to this protocol. Rejects as `open` does, and when it
 * answers anything else.
 */
export function upgrade(endpoint: CallTarget, protocol: string, options: CallOptions): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const headers = { ...options.headers, connection: "Upgrade", upgrade: protocol };
  send(
    endpoint,
    { ...options, headers },
    {
      response(response) {
        response.destroy();
        reject(new Error(`The server does not speak ${protocol} (${response.statusCode}).`));
      },
      upgrade(socket) {
        // Its later errors are of no interest to who passes it on.
        socket.on("error", () => {});
        resolve(socket);
      },
      error: reject,
    },
  );
  return promise;
}

interface Outcome {
  response(response: IncomingMessage): void;
  upgrade?(socket: Socket): void;
  error(error: Error): void;
}

/** Certificate authorities of this machine, where companies add theirs, once a server was found that needs them. */
let trustedHere: string[] | undefined;

/** What TLS says of a server whose authority Node does not know. Nothing was sent to it. */
export const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

function send(endpoint: CallTarget, options: CallOptions, outcome: Outcome): void {
  if (typeof endpoint === "string" && forwardProxy(endpoint))
    forwardProxyTo(endpoint)
      .then((proxy) => sendBy(proxy, endpoint, options, outcome))
      .catch(outcome.error);
  else sendBy(undefined, endpoint, options, outcome);
}

function sendBy(proxy: URL | undefined, endpoint: CallTarget, options: CallOptions, outcome: Outcome): void {
  const call = (ca: CallOptions["ca"], error: Outcome["error"]) => {
    const sent = request(proxy, endpoint, { ...options, ca }, outcome.response).on("error", error);
    if (outcome.upgrade) sent.on("upgrade", (_response, socket: Socket) => outcome.upgrade!(socket));
  };
  const ca = options.ca ?? trustedHere;
  call(ca, (error: NodeJS.ErrnoException) => {
    const isUnknown = ca === undefined && UNKNOWN_AUTHORITY.has(error.code ?? "");
    if (!isUnknown) return outcome.error(proxy ? namingProxy(proxy, error) : error);
    // Only now: reading them takes a while.
    const { getCACertificates } = process.getBuiltinModule("node:tls");
    trustedHere = [...getCACertificates("default"), ...getCACertificates("system")];
    call(trustedHere, outcome.error);
  });
}

/** What cannot be connected to is the proxy: it tells of the server by a response. */
function namingProxy({ host }: URL, error: NodeJS.ErrnoException): Error {
  return UNCONNECTED.has(error.code ?? "")
    ? new Error(`the proxy ${host} cannot be reached: ${error.message}`, { cause: error })
    : error;
}

const UNCONNECTED = new Set([
  "ECONNREFUSED",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "ETIMEDOUT",
]);

function request(
  proxy: URL | undefined,
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
    agent: proxy ? agentBy(proxy) : false,
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
      ? moduleOf("http:").request({ ...endpoint, ...settings }, onResponse)
      : moduleOf(endpoint).request(endpoint, settings, onResponse);
  call.end(payload);
  return call;
}

/** One for this call alone. */
function agentBy(proxy: URL): Agent {
  const { Agent } = process.getBuiltinModule("node:https");
  return new Agent({ proxyEnv: { HTTPS_PROXY: proxy.href } });
}

/** Both are loaded for the first call that needs them: TLS takes 3 MB of memory. */
function moduleOf(url: string) {
  return process.getBuiltinModule(url.startsWith("https:") ? "node:https" : "node:http");
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
