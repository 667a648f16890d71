/** The same request over HTTP/1.1 and over HTTP/2 with TLS. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { type ClientHttp2Session, connect as http2Connect } from "node:http2";
import { type Socket, connect as tcpConnect } from "node:net";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import type { System } from "./system.ts";

export interface RequestOptions {
  method?: string;
  host: string;
  path?: string;
  /** Name, value, name, value… */
  headers?: string[];
  /** Sent at once, with its length. Without it the caller writes and ends, or the request has no body. */
  body?: string | Buffer;
  /** The caller writes the body. */
  streaming?: boolean;
  /** HTTP/2: the caller sends trailers behind the body. */
  waitForTrailers?: boolean;
}

export interface Head {
  status: number;
  /** Name, value, name, value…, names as they came. */
  raw: string[];
  get(name: string): string | undefined;
  all(name: string): string[];
}

export interface Result extends Head {
  body: Buffer;
  trailers: string[];
  /** False when the answer broke off. */
  complete: boolean;
}

/** A request under way. */
export interface Sent {
  head: Promise<Head>;
  /** The whole answer; rejects only when there was no head. */
  result: Promise<Result>;
  informations: { status: number; raw: string[] }[];
  /** Called with each piece of the answer's body. */
  onData(listener: (chunk: Buffer) => void): void;
  /** Stops reading, until `resume`. */
  pause(): void;
  resume(): void;
  body: Duplex | ClientRequest;
  /** Goes away. */
  abort(): void;
}

export interface TestClient {
  protocol: "HTTP/1.1" | "HTTP/2";
  send(options: RequestOptions): Sent;
  request(options: RequestOptions): Promise<Result>;
  close(): void;
}

export type Connect = (system: System) => TestClient;

export const protocols: [string, Connect][] = [
  ["HTTP/1.1", connectHttp1],
  ["HTTP/2", connectHttp2],
];

function toHead(status: number, raw: string[]): Head {
  const all = (name: string) =>
    raw.filter((_, i) => i % 2 === 1 && raw[i - 1]!.toLowerCase() === name.toLowerCase());
  return { status, raw, all, get: (name) => all(name)[0] };
}

/** As cloudflared asks the tunnel listener for the Worker: the session's host is in a header, beside its secret. */
export function connectTunnel(system: System, originSecret: string): TestClient {
  const port = system.server.status.tunnel_port;
  const client = connectHttp1({ port });
  const send = ({ host, headers = [], ...options }: RequestOptions): Sent =>
    client.send({
      ...options,
      host: "linkup-gecko.tunnels.example.net",
      headers: [...tunnelHeaders(host, originSecret), ...headers],
    });
  return { ...client, send, request: (options) => send(options).result };
}

export function tunnelHeaders(host: string, originSecret: string): string[] {
  return ["X-Forwarded-Host", host, "Linkup-Origin-Secret", originSecret];
}

export function connectHttp1(system: Pick<System, "port">): TestClient {
  const send = (options: RequestOptions): Sent => {
    const { method = "GET", host, path = "/", headers = [], body, streaming } = options;
    const extra = body === undefined ? [] : ["Content-Length", String(Buffer.byteLength(body))];
    const request = httpRequest({
      host: "127.0.0.1",
      port: system.port,
      method,
      path,
      headers: ["Host", host, ...headers, ...extra] as unknown as Record<string, string>,
      maxHeaderSize: 131_072,
      agent: false,
    });
    const informations: Sent["informations"] = [];
    request.on("information", ({ statusCode, rawHeaders }) =>
      informations.push({ status: statusCode, raw: rawHeaders }),
    );
    request.on("continue", () => informations.push({ status: 100, raw: [] }));
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      request.once("response", resolve);
      request.once("error", reject);
      request.once("close", () => reject(new Error("closed without an answer")));
    });
    const chunks: Buffer[] = [];
    const listeners: ((chunk: Buffer) => void)[] = [(chunk) => chunks.push(chunk)];
    const head = response.then((message) => toHead(message.statusCode!, message.rawHeaders));
    const result = response.then(
      (message) =>
        new Promise<Result>((resolve) => {
          message.on("data", (chunk: Buffer) => {
            for (const listener of listeners) listener(chunk);
          });
          message.on("error", () => {});
          message.on("close", () =>
            resolve({
              ...toHead(message.statusCode!, message.rawHeaders),
              body: Buffer.concat(chunks),
              trailers: message.rawTrailers,
              complete: message.complete,
            }),
          );
        }),
    );
    head.catch(() => {});
    result.catch(() => {});
    request.on("error", () => {});
    if (body !== undefined) request.end(body);
    else if (!streaming) request.end();
    let paused: IncomingMessage | undefined;
    return {
      head,
      result,
      informations,
      onData: (listener) => listeners.push(listener),
      pause: () => void response.then((message) => (paused = message.pause())),
      resume: () => paused?.resume(),
      body: request,
      abort: () => request.destroy(),
    };
  };
  return {
    protocol: "HTTP/1.1",
    send,
    request: (options) => send(options).result,
    close: () => {},
  };
}

export function connectHttp2(system: System): TestClient {
  const sessions = new Map<string, ClientHttp2Session>();
  const session = (host: string) => {
    let known = sessions.get(host);
    if (!known || known.closed || known.destroyed) {
      known = http2Connect(`https://${host}:${system.port}`, {
        createConnection: () =>
          tlsConnect({
            host: "127.0.0.1",
            port: system.port,
            servername: host,
            ca: system.ca,
            ALPNProtocols: ["h2"],
          }),
        maxSendHeaderBlockLength: 262_144,
        maxHeaderListPairs: 2000,
        settings: { maxHeaderListSize: 262_144, initialWindowSize: 1 << 20 },
      });
      known.on("error", () => {});
      known.setMaxListeners(0);
      sessions.set(host, known);
    }
    return known;
  };
  const send = (options: RequestOptions): Sent => {
    const { method = "GET", host, path = "/", headers = [], body, streaming } = options;
    const fields: Record<string, string | string[]> = {
      ":method": method,
      ":path": path,
      ":authority": host,
    };
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!.toLowerCase();
      const before = fields[name];
      fields[name] = before === undefined ? headers[i + 1]! : [before, headers[i + 1]!].flat();
    }
    if (body !== undefined) fields["content-length"] = String(Buffer.byteLength(body));
    const stream = session(host).request(fields, {
      endStream: body === undefined && !streaming,
      waitForTrailers: options.waitForTrailers ?? false,
    });
    const informations: Sent["informations"] = [];
    stream.on("headers", (_headers, _flags, raw: string[]) =>
      informations.push({ status: Number(raw[1]), raw: raw.slice(2) }),
    );
    let trailers: string[] = [];
    stream.on("trailers", (_headers, _flags, raw?: string[]) => (trailers = raw ?? []));
    let failed = false;
    stream.on("error", () => (failed = true));
    const head = new Promise<Head>((resolve, reject) => {
      stream.once("response", (_headers, _flags, raw: string[]) =>
        resolve(toHead(Number(raw[1]), raw.slice(2))),
      );
      stream.once("error", reject);
      stream.once("close", () => reject(new Error("closed without an answer")));
    });
    const chunks: Buffer[] = [];
    const listeners: ((chunk: Buffer) => void)[] = [(chunk) => chunks.push(chunk)];
    let ended = false;
    let pausing = false;
    stream.on("end", () => (ended = true));
    const result = head.then(
      (head) =>
        new Promise<Result>((resolve) => {
          const done = () =>
            resolve({
              ...head,
              body: Buffer.concat(chunks),
              trailers,
              complete: ended && !failed && stream.rstCode === 0,
            });
          if (!pausing)
            stream.on("data", (chunk: Buffer) => {
              for (const listener of listeners) listener(chunk);
            });
          if (stream.closed && stream.destroyed) done();
          else stream.once("close", done);
        }),
    );
    head.catch(() => {});
    result.catch(() => {});
    if (body !== undefined) stream.end(body);
    return {
      head,
      result,
      informations,
      onData: (listener) => listeners.push(listener),
      pause: () => {
        pausing = true;
        stream.pause();
      },
      resume: () => {
        if (pausing)
          stream.on("data", (chunk: Buffer) => {
            for (const listener of listeners) listener(chunk);
          });
        pausing = false;
        stream.resume();
      },
      body: stream,
      // `close(code)` would end the request's body cleanly before it resets the stream.
      abort: () => stream.destroy(new Error("aborted by the test")),
    };
  };
  return {
    protocol: "HTTP/2",
    send,
    request: (options) => send(options).result,
    close: () => {
      for (const session of sessions.values()) session.destroy();
    },
  };
}

/** Bytes as they are, for what no HTTP library would send. Resolves with all that came back when the other side ends. */
export function raw(port: number, bytes: string | Buffer, { half = false } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = tcpConnect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
    socket.write(bytes as string, "latin1");
    if (half) socket.end();
  });
}

/** A socket with what it has received so far. */
export function rawSocket(port: number): Socket & { received: () => string } {
  const socket = tcpConnect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
  socket.on("error", () => {});
  return Object.assign(socket, { received: () => text });
}
