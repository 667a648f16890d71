/** Pipes two byte streams into each other, each direction until its own end. */
import type { Duplex } from "node:stream";
import { ServiceSocket } from "../upstream/service-socket.ts";

/** Is called with the bytes of both directions. */
export interface TunnelledTraffic {
  client(chunk: Buffer): void;
  service(chunk: Buffer): void;
  /** This side has ended. */
  ended(by: "client" | "service"): void;
}

/** An error or a sudden end on one side ends the other; a half-closed side stays half-closed. */
export function splice(client: Duplex, service: Duplex, traffic: TunnelledTraffic | undefined): void {
  pipe(client, service, "client", traffic);
  pipe(service, client, "service", traffic);
}

function pipe(
  from: Duplex,
  to: Duplex,
  side: "client" | "service",
  traffic: TunnelledTraffic | undefined,
): void {
  const pass = (chunk: Buffer, release?: () => void) => {
    traffic?.[side](chunk);
    if (to.destroyed) release?.();
    else if (!to.write(chunk, release)) from.pause();
  };
  if (from instanceof ServiceSocket) from.takeBytes = pass;
  else from.on("data", pass);
  to.on("drain", () => from.resume());
  from.on("end", () => {
    traffic?.ended(side);
    to.end();
  });
  from.on("error", () => to.destroy());
  from.on("close", () => {
    traffic?.ended(side);
    // What was read to its end is still being written.
    if (!from.readableEnded) to.destroy();
    else if (to.writableFinished) to.destroy();
    else to.once("finish", () => to.destroy());
  });
  from.resume();
}
