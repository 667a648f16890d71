/** Joins two byte streams: what one reads the other writes, each way until its own end. */
import type { Duplex } from "node:stream";

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
  from.on("data", (chunk: Buffer) => {
    traffic?.[side](chunk);
    if (!to.destroyed && !to.write(chunk)) from.pause();
  });
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
