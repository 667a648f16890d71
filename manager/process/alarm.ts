/** Tells at once when a process ends, though it is nobody's child: an open connection to it closes then. */
import { connect, type Socket } from "node:net";

/** Where a process listens: a socket's path, or a port on 127.0.0.1. */
export type Address = string | number;

export class Alarm {
  readonly #sockets = new Map<Address, Socket>();

  /** Waits for this long, or until one of these processes ends. */
  async within(ms: number, addresses: readonly Address[]): Promise<void> {
    for (const [address, socket] of this.#sockets) if (!addresses.includes(address)) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const sockets = addresses.map((address) => this.#connected(address));
    for (const socket of sockets) socket.once("end", resolve).once("close", resolve);
    await promise;
    clearTimeout(timer);
    for (const socket of sockets) socket.off("end", resolve).off("close", resolve);
  }

  end(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #connected(address: Address): Socket {
    const known = this.#sockets.get(address);
    if (known) return known;
    const socket = typeof address === "string" ? connect(address) : connect(address, "127.0.0.1");
    this.#sockets.set(address, socket);
    let opened = false;
    socket.once("connect", () => {
      opened = true;
    });
    // Nobody listens yet: the next wait tries again. It must not be taken for an end.
    socket.on("error", () => {
      if (!opened) socket.removeAllListeners("close");
      this.#sockets.delete(address);
    });
    socket.once("close", () => this.#sockets.delete(address));
    socket.resume();
    return socket;
  }
}
