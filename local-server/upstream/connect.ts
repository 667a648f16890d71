/** Opens connections to services. */
import type { Socket } from "node:net";
import { connect as connectTls, createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { hostname, isLoopback } from "../../core/session/host-name.ts";
import { ServiceSocket } from "./service-socket.ts";

/** Where a service listens, from the `http://host:port` of its location. */
export interface Endpoint {
  tls: boolean;
  /** Without the brackets of an IPv6 address. */
  host: string;
  port: number;
  /** The machine it runs on is this one. */
  loopback: boolean;
  /** What is offered to be spoken over TLS, best first; without it HTTP/1.1. */
  protocols?: readonly string[];
  /** IP addresses to try in this order, instead of what the system makes of `host`. */
  addresses?: string[];
}

export function endpoint(origin: string): Endpoint {
  const { protocol, hostname: host, port } = new URL(origin);
  const tls = protocol === "https:";
  return {
    tls,
    host: host.replace(/^\[|\]$/g, ""),
    port: Number(port) || (tls ? 443 : 80),
    loopback: isLoopback(host),
  };
}

/** How long the service may take to accept a connection. */
const CONNECT_MS = 10_000;

/**
 * Connects, and calls back once with the socket or the error that says most. `localhost` is tried as 127.0.0.1 and as ::1,
 * whatever the system makes of it: development servers listen on either. Returns a function that gives up.
 */
export function connect(
  target: Endpoint,
  done: (error: Error | undefined, socket?: Socket) => void,
): () => void {
  const addresses = target.addresses ?? addressesOf(target);
  let current: Socket | undefined;
  let over = false;
  let told: Error | undefined;
  const attempt = (index: number) => {
    const socket = open(target, addresses[index]!);
    current = socket;
    socket.setTimeout(CONNECT_MS, () => {
      const error: NodeJS.ErrnoException = new Error(`no connection within ${CONNECT_MS / 1000} s`);
      error.code = "ETIMEDOUT";
      socket.destroy(error);
    });
    const failed = (error: Error) => {
      if (over) return;
      told = told && says(told) > says(error) ? told : error;
      if (index + 1 < addresses.length) return attempt(index + 1);
      over = true;
      done(told);
    };
    socket.once("error", failed);
    socket.once(target.tls ? "secureConnect" : "connect", () => {
      socket.off("error", failed);
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      if (over) return socket.destroy();
      over = true;
      remember(target, addresses[index]!);
      done(undefined, socket);
    });
  };
  attempt(0);
  return () => {
    over = true;
    current?.destroy();
  };
}

/** Who answers badly says more than that nobody listens at another address, and that more than that there is no such address. */
function says({ code = "" }: NodeJS.ErrnoException): number {
  if (code === "ECONNREFUSED") return 1;
  return ["EADDRNOTAVAIL", "EAFNOSUPPORT", "ENETUNREACH"].includes(code) ? 0 : 2;
}

function open({ tls, host, port, loopback, protocols = ["http/1.1"] }: Endpoint, address: string): Socket {
  const common = { host: address, port, noDelay: true, allowHalfOpen: true };
  if (!tls) return new ServiceSocket().connect(common);
  return connectTls({
    ...common,
    // RFC 6066: no IP addresses in SNI.
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ALPNProtocols: [...protocols],
    // Development servers sign their own certificates; nobody else can answer on this machine's loopback.
    ...(loopback ? { rejectUnauthorized: false } : { secureContext: trust() }),
  });
}

let trusted: SecureContext | undefined;

/** The authorities that come with Node and those of this machine, where companies put their own. Read once. */
function trust(): SecureContext {
  trusted ??= createSecureContext({ ca: [...getCACertificates("default"), ...getCACertificates("system")] });
  return trusted;
}

const BOTH_LOOPBACKS = ["127.0.0.1", "::1"];
/** The loopback address that answered last, by port. */
const answered = new Map<number, string>();

function addressesOf({ host, port }: Endpoint): string[] {
  const name = hostname(host);
  if (name !== "localhost" && !name.endsWith(".localhost")) return [host];
  return answered.get(port) === "::1" ? BOTH_LOOPBACKS.toReversed() : BOTH_LOOPBACKS;
}

function remember({ port }: Endpoint, address: string): void {
  if (address === "::1") answered.set(port, address);
  else answered.delete(port);
}
