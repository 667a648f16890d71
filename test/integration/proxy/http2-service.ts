/** A service that speaks HTTP/2 over TLS, and HTTP/1.1 to who asks for it. */
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import {
  type CertificateWithKey,
  createAuthority,
  issueLeaf,
} from "../../../core/certificates/certificate-authority.ts";
import { frame, numbers } from "../../support/http2-frames.ts";

export type StreamHandler = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders & IncomingHttpStatusHeader,
  raw: string[],
) => void;

export class Http2Service {
  readonly #server: Http2SecureServer;
  readonly sessions = new Set<ServerHttp2Session>();
  /** Connections of either version of HTTP accepted so far. */
  connections = 0;
  /** Streams begun so far, and those under way now. */
  streams = 0;
  active = 0;
  handler: StreamHandler = echo;

  static async start(settings: { maxConcurrentStreams?: number } = {}): Promise<Http2Service> {
    const { key, certificate } = await newIdentity();
    const service = new Http2Service(key, certificate, settings);
    await new Promise((resolve) => service.#server.listen(0, "127.0.0.1", () => resolve(undefined)));
    return service;
  }

  private constructor(key: string, cert: string, settings: { maxConcurrentStreams?: number }) {
    this.#server = createSecureServer({
      key,
      cert,
      allowHTTP1: true,
      maxSessionMemory: 1000,
      maxHeaderListPairs: 2000,
      maxSendHeaderBlockLength: 262_144,
      settings: { maxHeaderListSize: 262_144, ...settings },
    });
    this.#server.on("secureConnection", () => this.connections++);
    this.#server.on("session", (session) => {
      this.sessions.add(session);
      session.on("error", () => {});
      session.on("close", () => this.sessions.delete(session));
    });
    this.#server.on(
      "stream",
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
        this.streams++;
        this.active++;
        stream.on("error", () => {});
        stream.on("close", () => this.active--);
        this.handler(stream, headers, raw);
      },
    );
    this.#server.on("upgrade", (_request, socket: Socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
      socket.pipe(socket);
    });
    this.#server.on("error", () => {});
  }

  /** Answers requests of HTTP/1.1, of which there are none but those that were asked for so. */
  answerHttp1(text: string): void {
    this.#server.on("request", ({ httpVersionMajor }, response) => {
      if (httpVersionMajor === 1) response.end(text);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const session of this.sessions) session.destroy();
    this.#server.close();
  }
}

/** Answers with the request it saw. */
export function echo(stream: ServerHttp2Stream, _headers: unknown, raw: string[]): void {
  const chunks: Buffer[] = [];
  let trailers: string[] = [];
  stream.on("trailers", (_headers, _flags, raw?: string[]) => (trailers = raw ?? []));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    if (stream.destroyed) return;
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.end(JSON.stringify({ raw, trailers, body: Buffer.concat(chunks).toString("latin1") }));
  });
}

/**
 * Serves HTTP/2 by hand, since node:http2 ends a body before it resets its stream: answers each request with the
 * beginning of a body of this length, and breaks off with this error code.
 */
export async function breakOffWith(code: number, length?: number): Promise<TlsServer> {
  const { key, certificate } = await newIdentity();
  const server = createTlsServer({ key, cert: certificate, ALPNProtocols: ["h2"] }, (socket) => {
    socket.on("error", () => {});
    socket.write(frame(SETTINGS, 0, 0));
    let bytes = Buffer.alloc(0);
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (preface > 0 && bytes.length < preface) return;
      bytes = bytes.subarray(preface);
      preface = 0;
      for (let size = frameSize(bytes); size !== undefined; size = frameSize(bytes)) {
        const [type, flags, stream] = [bytes[3], bytes[4]!, bytes.readUInt32BE(5)];
        bytes = bytes.subarray(size);
        if (type === SETTINGS && !(flags & ACK)) socket.write(frame(SETTINGS, ACK, 0));
        if (type !== HEADERS) continue;
        socket.write(frame(HEADERS, END_HEADERS, stream, head(length)));
        socket.write(frame(DATA, 0, stream, Buffer.from("half")));
        setTimeout(() => socket.write(numbers(RST_STREAM, stream, code)), 50);
      }
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  return server;
}

/** RFC 9113, 6. */
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const ACK = 1;
const END_HEADERS = 4;
/** RFC 7541, appendix A: entry 8 of the static table is `:status: 200`, entry 28 `content-length`. */
function head(length: number | undefined): Buffer {
  const status = Buffer.from([0x88]);
  if (length === undefined) return status;
  const value = String(length);
  return Buffer.concat([status, Buffer.from([0x0f, 28 - 15, value.length]), Buffer.from(value)]);
}

/** Undefined while the first frame is not complete. */
function frameSize(bytes: Buffer): number | undefined {
  if (bytes.length < 9) return undefined;
  const size = 9 + bytes.readUIntBE(0, 3);
  return bytes.length < size ? undefined : size;
}

async function newIdentity(): Promise<CertificateWithKey> {
  const now = Date.now();
  return issueLeaf(await createAuthority(["localhost"], now), "localhost", now);
}
