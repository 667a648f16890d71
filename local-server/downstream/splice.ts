/** Joins two byte streams: what one reads the other writes, each way until its own end. */
import type { Duplex } from "node:stream";
import { ServiceSocket } from "../upstream/service-socket.ts";

/** Is told of what goes by. */
export interface Traffic {
  client(chunk: Buffer): void;
  service(chunk: Buffer): void;
  /** This side has ended. */
  over(by: "client" | "service"): void;
}

/** An error or a sudden end on one side ends the other; a half-closed side stays half-closed. */
export function splice(client: Duplex, service: Duplex, traffic: Traffic | undefined): void {
  carry(client, service, "client", traffic);
  carry(service, client, "service", traffic);
}

function carry(from: Duplex, to: Duplex, side: "client" | "service", traffic: Traffic | undefined): void {
  const pass = (chunk: Buffer, release?: () => void) => {
    traffic?.[side](chunk);
    if (to.destroyed) release?.();
    else if (!to.write(chunk, release)) from.pause();
  };
  if (from instanceof ServiceSocket) from.takeBytes = pass;
  else from.on("data", pass);
  to.on("drain", () => from.resume());
  from.on("end", () => {
    traffic?.over(side);
    to.end();
  });
  from.on("error", () => to.destroy());
  from.on("close", () => {
    traffic?.over(side);
    // What was read to its end is still being written; after that nobody is left to listen.
    if (!from.readableEnded) to.destroy();
    else if (to.writableFinished) to.destroy();
    else to.once("finish", () => to.destroy());
  });
  from.resume();
}
