/** What a listener does with a connection: finds out which protocol is spoken on it. */
import type { Socket } from "node:net";
import { createServer, type SecureContext } from "node:tls";
import type { Failure } from "../http/failures.ts";
import type { Client } from "./client.ts";
import { HEAD_MS, http1Front } from "./http1-front.ts";
import { http2Front } from "./http2-front.ts";

/** Gives the certificate for a host name; throws when there is none. */
export type Certificates = (hostname: string) => Promise<SecureContext>;

/** Takes a request; with the reason when it has to be refused. */
export type Serve = (client: Client, refusal?: Failure) => void;

/** Connections at a time. A browser has a few dozen, a load test some hundreds. */
const MAX_CONNECTIONS = 2_000;

const TLS_HANDSHAKE = 0x16;
/** How HTTP/2 without TLS begins (RFC 9113, 3.4), as far as no HTTP/1.1 method does. */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0");

export class Front {
  readonly #sockets = new Set<Socket>();
  readonly #http1;
  readonly #http2;
  readonly #tls;

  constructor(serve: Serve, certificates: Certificates) {
    this.#http1 = http1Front(serve);
    this.#http2 = http2Front(serve);
    this.#tls = createServer({
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: HEAD_MS,
      SNICallback: (hostname, done) => {
        certificates(hostname).then(
          (context) => done(null, context),
          (error) => done(error),
        );
      },
    });
    this.#tls.on("secureConnection", (socket) => {
      const server = socket.alpnProtocol === "h2" ? this.#http2 : this.#http1;
      server.emit("connection", socket);
    });
    this.#tls.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** How many connections are open. */
  get open(): number {
    return this.#sockets.size;
  }

  accept(socket: Socket): void {
    if (this.#sockets.size >= MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#sniff(socket, undefined);
  }

  /** TLS, HTTP/2 and HTTP/1.1 share a port, so that a session has one address: the first bytes tell them apart. */
  #sniff(socket: Socket, before: Buffer | undefined): void {
    const leave = () => socket.destroy();
    socket.setTimeout(HEAD_MS, leave);
    socket.once("error", leave);
    socket.once("end", leave);
    socket.once("data", (chunk: Buffer) => {
      socket.setTimeout(0, leave);
      socket.off("error", leave);
      socket.off("end", leave);
      socket.pause();
      const bytes = before ? Buffer.concat([before, chunk]) : chunk;
      const server = this.#serverFor(bytes);
      if (!server) {
        this.#sniff(socket, bytes);
        return;
      }
      socket.unshift(bytes);
      server.emit("connection", socket);
      // The others have taken what was put back; node:http waits for it to flow.
      if (server === this.#http1) socket.resume();
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
