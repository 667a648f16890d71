/** Binds servers to this machine's loopback addresses, and to nothing else. */
import { createServer, type Server, type Socket } from "node:net";

/** Ports tried for one that is free on both addresses. */
const ATTEMPTS = 20;

export interface Listening {
  port: number;
  /** Stops accepting. */
  close(): void;
}

/**
 * Listens on 127.0.0.1, and on ::1 where there is one, on the same port; hands each connection to `accept`.
 * Port 0 is any. Throws the system's error (EADDRINUSE, EACCES) when a given port cannot be had on both:
 * whoever holds the other address of `localhost` would get a part of its requests.
 */
export async function listenOnLoopback(port: number, accept: (socket: Socket) => void): Promise<Listening> {
  for (let attempt = 1; ; attempt++) {
    const v4 = await listen(port, "127.0.0.1", accept);
    const bound = portOf(v4);
    try {
      const v6 = await listen(bound, "::1", accept).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT") return undefined;
        throw error;
      });
      return {
        port: bound,
        close: () => {
          v4.close();
          v6?.close();
        },
      };
    } catch (error) {
      v4.close();
      if (port !== 0 || attempt === ATTEMPTS) throw error;
    }
  }
}

/** The first of these ports that can be had. Throws the last one's error. */
export async function listenOnFirst(ports: number[], accept: (socket: Socket) => void): Promise<Listening> {
  const [port = 0, ...others] = ports;
  try {
    return await listenOnLoopback(port, accept);
  } catch (error) {
    if (others.length === 0) throw error;
    return listenOnFirst(others, accept);
  }
}

function listen(port: number, host: string, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    // As node:http sets it: whether a half-closed client still gets its answer is decided there.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    server.once("error", reject);
    server.listen({ port, host, ipv6Only: true }, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The listener has no port.");
  return address.port;
}
