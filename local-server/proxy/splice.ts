/** Joins two byte streams: what one reads the other writes, each way until its own end. */
import type { Duplex } from "node:stream";

/** An error or a sudden end on one side ends the other; a half-closed side stays half-closed. */
export function splice(a: Duplex, b: Duplex): void {
  carry(a, b);
  carry(b, a);
}

function carry(from: Duplex, to: Duplex): void {
  from.on("data", (chunk: Buffer) => {
    if (!to.destroyed && !to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
  from.on("error", () => to.destroy());
  from.on("close", () => {
    // What was read to its end is still being written; after that nobody is left to listen.
    if (!from.readableEnded) to.destroy();
    else if (to.writableFinished) to.destroy();
    else to.once("finish", () => to.destroy());
  });
  from.resume();
}
