/** Pipes two byte streams into each other, each direction until its own end. */
import type { Duplex } from "node:stream";
import { FrameCounter } from "../http/frame-counter.ts";
import { ServiceSocket } from "../upstream/service-socket.ts";

/** Is called with the bytes of both directions. */
export interface TunnelledTraffic {
  client(chunk: Buffer): void;
  service(chunk: Buffer): void;
  /** This side has ended. */
  ended(by: "client" | "service"): void;
}

/** Two byte streams that are piped into each other. */
export interface SplicedPair {
  /** Closes it as a server that shuts down: a WebSocket with the code 1001 on both sides. */
  goAway(): void;
}

/** An error or a sudden end on one side ends the other; a half-closed side stays half-closed. */
export function splice(
  client: Duplex,
  service: Duplex,
  isWebSocket: boolean,
  traffic: TunnelledTraffic | undefined,
): SplicedPair {
  const toClient = new Direction(service, client, isWebSocket && CLOSE_TO_CLIENT);
  const toService = new Direction(client, service, isWebSocket && CLOSE_TO_SERVICE);
  toClient.start(
    (chunk) => traffic?.service(chunk),
    () => traffic?.ended("service"),
  );
  toService.start(
    (chunk) => traffic?.client(chunk),
    () => traffic?.ended("client"),
  );
  return {
    goAway() {
      toClient.goAway();
      toService.goAway();
    },
  };
}

/** Close frames with the code 1001, "going away" (RFC 6455, 5.5.1 and 7.4.1). A client's frames are masked, here by zeros. */
const CLOSE_TO_CLIENT = Buffer.from([0x88, 0x02, 0x03, 0xe9]);
const CLOSE_TO_SERVICE = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]);

/** One direction of a tunnel. */
class Direction {
  readonly #from: Duplex;
  readonly #to: Duplex;
  /** The last frame of this direction; false when it is not a WebSocket. */
  readonly #closeFrame: Buffer | false;
  readonly #frames = new FrameCounter();
  #goingAway = false;

  constructor(from: Duplex, to: Duplex, closeFrame: Buffer | false) {
    this.#from = from;
    this.#to = to;
    this.#closeFrame = closeFrame;
  }

  start(onBytes: (chunk: Buffer) => void, onEnd: () => void): void {
    const [from, to] = [this.#from, this.#to];
    const pass = (chunk: Buffer, release?: () => void) => {
      onBytes(chunk);
      if (to.destroyed || to.writableEnded) return release?.();
      if (this.#closeFrame) this.#frames.feed(chunk);
      if (!to.write(chunk, release)) from.pause();
      if (this.#goingAway) this.goAway();
    };
    if (from instanceof ServiceSocket) from.takeBytes = pass;
    else from.on("data", pass);
    to.on("drain", () => from.resume());
    from.on("end", () => {
      onEnd();
      to.end();
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      onEnd();
      // What was read to its end is still being written.
      if (!from.readableEnded) to.destroy();
      else if (to.writableFinished) to.destroy();
      else to.once("finish", () => to.destroy());
    });
    from.resume();
  }

  /** A frame under way is completed first: in its middle a close frame would be a part of it. */
  goAway(): void {
    this.#goingAway = true;
    if (this.#to.destroyed || this.#to.writableEnded) return;
    if (!this.#closeFrame) this.#to.end();
    else if (this.#frames.atBoundary) this.#to.end(this.#frames.closed ? undefined : this.#closeFrame);
  }
}
