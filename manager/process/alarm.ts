/** Tells at once when a process ends, though it is nobody's child: an open connection to it closes then. */
import { connect, type Socket } from "node:net";

export class Alarm {
  readonly #address: string;
  #socket: Socket | undefined;

  /** The socket or named pipe on which the process listens. */
  constructor(address: string) {
    this.#address = address;
  }

  /** Waits for this long, or until the process ends, or stops holding the connection. */
  async within(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const socket = this.#connected();
    socket.once("close", resolve);
    await promise;
    clearTimeout(timer);
    socket.off("close", resolve);
  }

  end(): void {
    this.#socket?.destroy();
  }

  #connected(): Socket {
    if (this.#socket && !this.#socket.destroyed) return this.#socket;
    const socket = connect(this.#address);
    let opened = false;
    socket.once("connect", () => {
      opened = true;
    });
    // Nobody listens yet: the next wait tries again. It must not be taken for an end.
    socket.on("error", () => {
      if (!opened) socket.removeAllListeners("close");
    });
    this.#socket = socket;
    return socket;
  }
}
