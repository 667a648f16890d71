/** Accepts connections, and detects which protocol each of them speaks. */
import type { Socket } from "node:net";
import type { SecureContext, Server as TlsServer } from "node:tls";
import { HEAD_TIMEOUT_MS } from "../http/limits.ts";
import type { ServeClient } from "./client.ts";
import { Http1Server } from "./http1-server.ts";
import { Http2Server } from "./http2-server.ts";

/** Gives the certificate for a host name; throws for a host without one. */
export type CertificateLookup = (hostname: string) => Promise<SecureContext>;

/** Concurrent connections. A browser has a few dozen, a load test some hundreds. */
const MAX_CONNECTIONS = 2_000;

const TLS_HANDSHAKE = 0x16;
/** The beginning of HTTP/2 without TLS (RFC 9113, 3.4), as far as HTTP/1.1 cannot begin like that. */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0");

export class DownstreamListener {
  readonly #sockets = new Set<Socket>();
  /** Connections without a byte that would tell their protocol, oldest first. */
  readonly #undetected = new Set<Socket>();
  #closing = false;
  readonly #http1;
  readonly #http2;
  readonly #certificates: CertificateLookup;
  #usedTls: TlsServer | undefined;

  constructor(serve: ServeClient, certificates: CertificateLookup) {
    this.#http1 = new Http1Server(serve);
    this.#http2 = new Http2Server(serve);
    this.#certificates = certificates;
  }

  /** Made for the first connection: many sessions see none, and Node's TLS takes 2 MB with the authorities that it reads at once. */
  get #tls(): TlsServer {
    this.#usedTls ??= this.#tlsServer();
    return this.#usedTls;
  }

  #tlsServer(): TlsServer {
    const tls = process.getBuiltinModule("node:tls").createServer({
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: HEAD_TIMEOUT_MS,
      SNICallback: (hostname, done) => {
        this.#certificates(hostname).then(
          (context) => done(null, context),
          (error) => done(error),
        );
      },
    });
    tls.on("secureConnection", (socket) => {
      const server = socket.alpnProtocol === "h2" ? this.#http2 : this.#http1;
      server.accept(socket);
    });
    tls.on("tlsClientError", (_error, socket) => socket.destroy());
    return tls;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Where all connections are taken, idle ones are closed for the new one. */
  accept(socket: Socket): void {
    if (this.#closing) socket.destroy();
    else if (this.#sockets.size < MAX_CONNECTIONS || this.#evictUndetected()) this.#take(socket);
    else {
      this.#closeIdle();
      // Their sockets have closed when the event loop has come round.
      setImmediate(() =>
        setImmediate(() => (this.#sockets.size < MAX_CONNECTIONS ? this.#take(socket) : socket.destroy())),
      );
    }
  }

  /** Takes no more requests: what is idle is closed now, and the others when their responses are complete. */
  close(): void {
    this.#closing = true;
    while (this.#evictUndetected());
    this.#closeIdle();
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#forget(socket));
    this.#detect(socket, undefined);
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#undetected.delete(socket);
  }

  #evictUndetected(): boolean {
    const [oldest] = this.#undetected;
    if (!oldest) return false;
    this.#forget(oldest);
    oldest.destroy();
    return true;
  }

  #closeIdle(): void {
    this.#http1.closeIdleConnections();
    this.#http2.closeIdleConnections();
  }

  /** TLS, HTTP/2 and HTTP/1.1 share a port, so that a session has one address: the first bytes tell them apart. */
  #detect(socket: Socket, earlier: Buffer | undefined): void {
    const disconnect = () => socket.destroy();
    this.#undetected.add(socket);
    socket.setTimeout(HEAD_TIMEOUT_MS, disconnect);
    socket.once("error", disconnect);
    socket.once("end", disconnect);
    socket.once("data", (chunk: Buffer) => {
      this.#undetected.delete(socket);
      socket.setTimeout(0, disconnect);
      socket.off("error", disconnect);
      socket.off("end", disconnect);
      socket.pause();
      const bytes = earlier ? Buffer.concat([earlier, chunk]) : chunk;
      const server = this.#serverFor(bytes);
      if (!server) {
        this.#detect(socket, bytes);
        return;
      }
      socket.unshift(bytes);
      if (server instanceof Http1Server || server instanceof Http2Server) server.accept(socket);
      else server.emit("connection", socket);
    });
    socket.resume();
  }

  #serverFor(bytes: Buffer) {
    if (bytes[0] === TLS_HANDSHAKE) return this.#tls;
    const length = Math.min(bytes.length, HTTP2_PREFACE.length);
    if (!bytes.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length))) return this.#http1;
    return length === HTTP2_PREFACE.length ? this.#http2 : undefined;
  }
}
