/** Detects the exit of processes that are not our children, by a connection to each that closes when it ends. */
import { connect, type Socket } from "node:net";

/** Where a process listens: a socket's path, or a port on 127.0.0.1. */
export type ListenAddress = string | number;

export class ExitWatcher {
  readonly #sockets = new Map<ListenAddress, Socket>();
  #wake = () => {};
  /** It was woken while nobody waited. */
  #woken = false;

  /** Resolves after this time with false; with true as soon as one of these processes ends, or when it is woken. */
  async wait(ms: number, addresses: readonly ListenAddress[]): Promise<boolean> {
    for (const [address, socket] of this.#sockets) if (!addresses.includes(address)) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, ms, false);
    const wake = () => resolve(true);
    this.#wake = wake;
    if (this.#woken) wake();
    const sockets = addresses.map((address) => this.#connected(address));
    for (const socket of sockets) socket.once("end", wake).once("close", wake);
    const isWoken = await promise;
    clearTimeout(timer);
    this.#woken = false;
    this.#wake = () => {};
    for (const socket of sockets) socket.off("end", wake).off("close", wake);
    return isWoken;
  }

  /** Ends the wait, or the next one where nobody waits. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  end(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #connected(address: ListenAddress): Socket {
    const known = this.#sockets.get(address);
    if (known) return known;
    const socket = typeof address === "string" ? connect(address) : connect(address, "127.0.0.1");
    this.#sockets.set(address, socket);
    let opened = false;
    socket.once("connect", () => {
      opened = true;
    });
    // Nothing listens there yet, which is no exit: the next wait connects again.
    socket.on("error", () => {
      if (!opened) socket.removeAllListeners("close");
      this.#sockets.delete(address);
    });
    socket.once("close", () => this.#sockets.delete(address));
    socket.resume();
    return socket;
  }
}
