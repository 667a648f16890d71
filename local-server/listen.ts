/** Binds servers to this machine's loopback addresses only. */
import { createServer, type Server, type Socket } from "node:net";

/** Ports tried to find one that is free on both addresses. */
const ATTEMPTS = 20;

export interface BoundListener {
  port: number;
  /** Stops accepting. */
  close(): void;
}

/**
 * Listens on 127.0.0.1 and, where it exists, on ::1, on the same port; calls `accept` with each connection.
 * Port 0: any. Throws the system's error (EADDRINUSE, EACCES) when the port is not available on both:
 * the holder of the other address of `localhost` would get some of its requests.
 */
export async function listenOnLoopback(
  port: number,
  accept: (socket: Socket) => void,
): Promise<BoundListener> {
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

/** Listens on the first of these ports that is available. Throws the last one's error. */
export async function listenOnFirst(
  ports: number[],
  accept: (socket: Socket) => void,
): Promise<BoundListener> {
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
    // The HTTP connection decides whether a half-closed client still gets its response.
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
