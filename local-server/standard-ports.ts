/** Ports 80 and 443: listened on while local DNS is installed, where the system permits it. */
import type { Socket } from "node:net";
import { log } from "../node/log.ts";
import { type BoundListener, listenOnLoopback } from "./listen.ts";

export const HTTP_PORT = 80;
export const HTTPS_PORT = 443;

export class StandardPorts {
  readonly #wanted: () => boolean;
  readonly #accept: (socket: Socket) => void;
  readonly #listening = new Map<number, BoundListener>();

  /** `wanted`: whether local DNS is installed. */
  constructor(wanted: () => boolean, accept: (socket: Socket) => void) {
    this.#wanted = wanted;
    this.#accept = accept;
  }

  has(port: number): boolean {
    return this.#listening.has(port);
  }

  /** Takes the ports while they are wanted and available, and releases them otherwise. */
  async adjust(): Promise<void> {
    if (!this.#wanted()) {
      this.close();
      return;
    }
    for (const port of [HTTP_PORT, HTTPS_PORT]) {
      if (this.#listening.has(port)) continue;
      try {
        this.#listening.set(port, await listenOnLoopback(port, this.#accept));
        log(`listening on port ${port} too`);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // Not available to this user: session URLs then have the browser port.
        if (code !== "EACCES" && code !== "EADDRINUSE" && code !== "EPERM") throw error;
      }
    }
  }

  close(): void {
    for (const listening of this.#listening.values()) listening.close();
    this.#listening.clear();
  }
}
