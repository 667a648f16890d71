/** Detects the exit of processes that are not our children, by a connection to each that closes when it ends. */
import { connect, type Socket } from "node:net";

/** Where a process listens: a socket's path, or a port on 127.0.0.1. */
export type ListenAddress = string | number;

export class ExitWatcher {
  readonly #sockets = new Map<ListenAddress, Socket>();
  #wake = () => {};
  /** It was woken while nobody waited. */
  #woken = false;

  /**
   * Resolves after this time with false; with true as soon as one of these processes ends or has ended since the last wait, or
   * when it is woken.
   */
  async wait(ms: number, addresses: readonly ListenAddress[]): Promise<boolean> {
    for (const address of this.#sockets.keys()) if (!addresses.includes(address)) this.#forget(address);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, ms, false);
    const wake = () => resolve(true);
    this.#wake = wake;
    if (this.#woken) wake();
    for (const address of addresses) this.#connect(address);
    const isWoken = await promise;
    clearTimeout(timer);
    this.#woken = false;
    this.#wake = () => {};
    return isWoken;
  }

  /** Ends the wait, or the next one where nobody waits. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  end(): void {
    for (const address of this.#sockets.keys()) this.#forget(address);
  }

  #forget(address: ListenAddress): void {
    const socket = this.#sockets.get(address);
    this.#sockets.delete(address);
    socket?.destroy();
  }

  #connect(address: ListenAddress): void {
    if (this.#sockets.has(address)) return;
    const socket = typeof address === "string" ? connect(address) : connect(address, "127.0.0.1");
    this.#sockets.set(address, socket);
    let opened = false;
    socket.once("connect", () => {
      opened = true;
    });
    socket.on("error", () => {});
    socket.once("close", () => {
      // One that is no longer watched.
      if (this.#sockets.get(address) !== socket) return;
      this.#sockets.delete(address);
      // Else nothing listens there yet, which is no exit: the next wait connects again.
      if (opened) this.wake();
    });
    socket.resume();
  }
}
