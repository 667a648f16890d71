/** Opens connections to services. */
import { isIP, Socket } from "node:net";
import type { ConnectionOptions, SecureContext, TLSSocket } from "node:tls";
import { hostname, isLoopback } from "../../core/session/host-name.ts";
import { forwardProxy, forwardProxyTo, proxyAuthorization } from "../../node/forward-proxy.ts";
import { tryConnecting } from "../node-internals.ts";
import { ServiceSocket } from "./service-socket.ts";

/** Where a service listens, from the `http://host:port` of its location. */
export interface ServiceEndpoint {
  tls: boolean;
  /** Without the brackets of an IPv6 address. */
  host: string;
  port: number;
  /** On this machine. */
  loopback: boolean;
  /** Best first, by default HTTP/1.1: those to offer over TLS (ALPN). Without TLS the first one is spoken. */
  protocols?: readonly string[];
  /** IP addresses to try in this order, instead of resolving `host`. */
  addresses?: string[];
}

export function endpoint(origin: string): ServiceEndpoint {
  const { protocol, hostname: host, port } = new URL(origin);
  const tls = protocol === "https:";
  return {
    tls,
    host: host.replace(/^\[|\]$/g, ""),
    port: Number(port) || (tls ? 443 : 80),
    loopback: isLoopback(host),
  };
}

/** How long the service may take to accept a connection, TLS handshake included. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Connects, and calls back once with the socket or the most informative error. `localhost` is tried as 127.0.0.1 and as ::1,
 * however the system resolves it: development servers listen on either. Returns a function that gives up.
 */
export function connect(
  target: ServiceEndpoint,
  done: (error: Error | undefined, socket?: Socket) => void,
): () => void {
  const url = `https://${authorityOf(target)}`;
  if (!target.tls || !forwardProxy(url)) return connectDirectly(target, done);
  let giveUp = () => {};
  let cancelled = false;
  void forwardProxyTo(url).then((proxy) => {
    if (cancelled) return;
    giveUp = proxy ? connectByProxy(proxy, target, done) : connectDirectly(target, done);
  });
  return () => {
    cancelled = true;
    giveUp();
  };
}

function connectDirectly(
  target: ServiceEndpoint,
  done: (error: Error | undefined, socket?: Socket) => void,
): () => void {
  const addresses = target.addresses ?? addressesOf(target);
  let current: Socket | undefined;
  let settled = false;
  let mostInformative: Error | undefined;
  const attempt = (index: number) => {
    const socket = open(target, addresses[index]!);
    current = socket;
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      const error: NodeJS.ErrnoException = new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`);
      error.code = "ETIMEDOUT";
      socket.destroy(error);
    });
    const failed = (error: Error) => {
      if (settled) return;
      mostInformative =
        mostInformative && informativeness(mostInformative) > informativeness(error)
          ? mostInformative
          : error;
      if (index + 1 < addresses.length) return attempt(index + 1);
      settled = true;
      done(mostInformative);
    };
    socket.once("error", failed);
    socket.once(target.tls ? "secureConnect" : "connect", () => {
      socket.off("error", failed);
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      if (settled) return socket.destroy();
      settled = true;
      remember(target, addresses[index]!);
      done(undefined, socket);
    });
  };
  attempt(0);
  return () => {
    settled = true;
    current?.destroy();
  };
}

/**
 * Whether somebody accepts connections there: calls back once. Cheaper than `connect` on this machine, for
 * what is asked again and again. Returns a function that gives up.
 */
export function accepts(target: ServiceEndpoint, done: (accepts: boolean) => void): () => void {
  const addresses = addressesOf(target);
  // Not TLS, and no socket with a service's buffers: all that counts is that somebody accepts.
  if (!addresses.every(isIP))
    return connect({ ...target, tls: false, protocols: ["h2"] }, (_error, socket) => {
      socket?.on("error", () => {});
      socket?.destroy();
      done(socket !== undefined);
    });
  let giveUp = () => {};
  const attempt = (index: number) => {
    giveUp = tryConnecting(addresses[index]!, target.port, (isAccepted) => {
      if (!isAccepted && index + 1 < addresses.length) return attempt(index + 1);
      if (isAccepted) remember(target, addresses[index]!);
      done(isAccepted);
    });
  };
  attempt(0);
  return () => giveUp();
}

/** Ranks errors: protocol > refused > unroutable. */
function informativeness({ code = "" }: NodeJS.ErrnoException): number {
  if (code === "ECONNREFUSED") return 1;
  return ["EADDRNOTAVAIL", "EAFNOSUPPORT", "ENETUNREACH"].includes(code) ? 0 : 2;
}

function open(target: ServiceEndpoint, address: string): Socket {
  const { tls, port, protocols = ["http/1.1"] } = target;
  const common = { host: address, port, noDelay: true, allowHalfOpen: true };
  if (!tls) return (protocols[0] === "h2" ? new Socket(common) : new ServiceSocket()).connect(common);
  return connectTls({ ...common, ...tlsOptions(target) });
}

/** Through the proxy of the machine's network, which resolves the host. */
function connectByProxy(
  proxy: URL,
  target: ServiceEndpoint,
  done: (error: Error | undefined, socket?: Socket) => void,
): () => void {
  const authority = authorityOf(target);
  const authorization = proxyAuthorization(proxy);
  const module = process.getBuiltinModule(proxy.protocol === "https:" ? "node:https" : "node:http");
  let current: { destroy(error?: Error): void };
  let settled = false;
  const settle = (error: Error | undefined, socket?: Socket) => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    done(error, socket);
  };
  const failed = (reason: string) => settle(new Error(`the proxy ${proxy.host} ${reason}`));
  const timer = setTimeout(() => {
    failed(`made no connection within ${CONNECT_TIMEOUT_MS / 1000} s`);
    current.destroy();
  }, CONNECT_TIMEOUT_MS);
  current = module
    .request({
      method: "CONNECT",
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port || undefined,
      path: authority,
      headers: { host: authority, ...(authorization ? { "proxy-authorization": authorization } : {}) },
      agent: false,
    })
    .on("connect", ({ statusCode = 0, statusMessage = "" }, tunnel) => {
      if (statusCode < 200 || statusCode > 299) {
        tunnel.destroy();
        return failed(`answered ${statusCode} ${statusMessage}`);
      }
      const socket = connectTls({ socket: tunnel, ...tlsOptions(target) });
      current = socket;
      socket.once("error", settle);
      socket.once("secureConnect", () => {
        socket.off("error", settle);
        settle(undefined, socket);
      });
    })
    .on("error", ({ message }) => failed(`cannot be reached: ${message}`))
    .end();
  return () => {
    settled = true;
    clearTimeout(timer);
    current.destroy();
  };
}

/** Node's TLS is loaded for the first connection that needs it: it takes 2 MB, which many sessions never do. */
function connectTls(options: ConnectionOptions): TLSSocket {
  return process.getBuiltinModule("node:tls").connect(options);
}

function tlsOptions({ host, loopback, protocols = ["http/1.1"] }: ServiceEndpoint) {
  return {
    // RFC 6066: no IP addresses in SNI.
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ALPNProtocols: [...protocols],
    // Development servers have self-signed certificates, and no other machine can listen on this one's loopback.
    ...(loopback ? { rejectUnauthorized: false } : { secureContext: trustedAuthorities() }),
  };
}

function authorityOf({ host, port }: ServiceEndpoint): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

let trusted: SecureContext | undefined;

/** Node's certificate authorities and this machine's, where companies add theirs. Read once. */
function trustedAuthorities(): SecureContext {
  if (trusted) return trusted;
  const { createSecureContext, getCACertificates } = process.getBuiltinModule("node:tls");
  trusted = createSecureContext({ ca: [...getCACertificates("default"), ...getCACertificates("system")] });
  return trusted;
}

const BOTH_LOOPBACKS = ["127.0.0.1", "::1"];
/** The ports whose service last accepted a connection on ::1. */
const lastOnIpv6 = new Set<number>();

function addressesOf({ host, port }: ServiceEndpoint): string[] {
  const name = hostname(host);
  if (name !== "localhost" && !name.endsWith(".localhost")) return [host];
  return lastOnIpv6.has(port) ? BOTH_LOOPBACKS.toReversed() : BOTH_LOOPBACKS;
}

function remember({ port }: ServiceEndpoint, address: string): void {
  if (address === "::1") lastOnIpv6.add(port);
  else lastOnIpv6.delete(port);
}
